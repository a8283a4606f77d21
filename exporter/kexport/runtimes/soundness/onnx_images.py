"""How large the results of ONNX's operators on images and signals are at least: windows that slide, regions, grids."""

from __future__ import annotations

from collections.abc import Sequence

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.onnx_operands import Operands, Rule, scaled, sizes_in
from kexport.runtimes.soundness.onnx_tensors import Dims


def _window(size: int, kernel: int, pads: int, stride: int, *, partly: bool = False) -> int:
    """The number of places that a window takes along an axis; at least that many where its size varies."""
    places = (abs(size) + pads - kernel + (stride - 1 if partly else 0)) // max(stride, 1) + 1
    return max(places, 0) if size >= 0 else min(-places, -1)


def _spatial(op: Operands, kernel: Sequence[int]) -> Dims | None:
    """The places of a window that slides over all axes but the first two."""
    sizes, count = op.dims(0), len(kernel)
    if sizes is None or len(sizes) != count + 2:
        return None
    strides, dilations = op.many("strides", count, 1), op.many("dilations", count, 1)
    pads = op.many("pads", 2 * count, 0)
    if str(op.node.attributes.get("auto_pad", "NOTSET")).startswith("SAME"):
        return tuple(_window(size, 1, 0, stride) for size, stride in zip(sizes[2:], strides, strict=True))
    return tuple(
        _window(
            sizes[2 + at],
            (abs(kernel[at]) - 1) * dilations[at] + 1,
            pads[at] + pads[at + count],
            strides[at],
            partly=bool(op.whole("ceil_mode")),
        )
        for at in range(count)
    )


def _conv(op: Operands) -> Dims | None:
    weights, sizes = op.dims(1), op.dims(0)
    if weights is None or sizes is None or len(weights) < 3:
        return None
    places = _spatial(op, weights[2:])
    return None if places is None else (sizes[0], weights[0], *places)


def _pool(op: Operands) -> Dims | None:
    kernel, sizes = op.node.attributes.get("kernel_shape"), op.dims(0)
    if not isinstance(kernel, list) or sizes is None:
        return None
    places = _spatial(op, kernel)
    if places is not None and 0 in places:  # a kernel of ONNX Runtime divides by their number
        raise FlawError(f"the window of {op.node.place}", f"{kernel} on {list(sizes[2:])}", "one that fits")
    return None if places is None else (*sizes[:2], *places)


def _transposed_conv(op: Operands) -> Dims | None:
    weights, sizes = op.dims(1), op.dims(0)
    if weights is None or sizes is None or len(weights) < 3 or len(weights) != len(sizes):
        return None
    count = len(weights) - 2
    wanted = op.node.attributes.get("output_shape")
    if isinstance(wanted, list) and len(wanted) == count:
        return (sizes[0], weights[1], *(max(each, -1) for each in wanted))
    strides, dilations = op.many("strides", count, 1), op.many("dilations", count, 1)
    pads, more = op.many("pads", 2 * count, 0), op.many("output_padding", count, 0)
    places = [
        scaled(sizes[2 + at], strides[at],
               more[at] - strides[at] + (abs(weights[2 + at]) - 1) * dilations[at] + 1 - pads[at] - pads[at + count])
        for at in range(count)
    ]  # fmt: skip
    return (sizes[0], weights[1], *places)


def _regions(op: Operands) -> Dims | None:
    """Parts of an image, each of one size."""
    sizes, regions = op.dims(0), op.dims(1)
    if not sizes or not regions or len(sizes) < 2:
        return None
    pooled = op.node.attributes.get("pooled_shape", [op.whole("output_height", 1), op.whole("output_width", 1)])
    return (regions[0], sizes[1], *pooled) if isinstance(pooled, list) else None


def _sampled(op: Operands) -> Dims | None:
    sizes, grid = op.dims(0), op.dims(1)
    return None if not sizes or not grid or len(sizes) < 2 else (*sizes[:2], *grid[1:-1])


def _columns(op: Operands) -> Dims | None:
    sizes, image = op.dims(0), sizes_in(op, 1)
    return None if not sizes or image is None else (sizes[0], *image)


def _grid(op: Operands) -> Dims | None:
    sizes = sizes_in(op, 1)
    return None if sizes is None or len(sizes) < 3 else (sizes[0], *sizes[2:], len(sizes) - 2)


def _unpooled(op: Operands) -> Dims | None:
    return sizes_in(op, 2)


def _transform(op: Operands) -> Dims | None:
    """A Fourier transform of a given length."""
    sizes, length = op.dims(0), op.numbers(1)
    axes = op.numbers(2, "axis")
    if not sizes or not length:
        return None
    axis = int(axes[0]) if axes else -2 if len(op.given) != 1 else 1
    return tuple(int(length[0]) if at == axis % len(sizes) else size for at, size in enumerate(sizes))


def _mel(op: Operands) -> Dims | None:
    bins, length = op.numbers(0), op.numbers(1)
    return (max(int(length[0]) // 2 + 1, 0), max(int(bins[0]), 0)) if bins and length else (-1, -1)


def _blocked(op: Operands) -> Dims | None:
    """An image that ONNX Runtime lays out in blocks of channels, or takes out of them."""
    sizes, last = op.dims(0), op.whole("channels_last")
    if sizes is None or len(sizes) != 4:
        return None
    if op.node.kind == "ReorderInput":
        return (sizes[0], sizes[3], *sizes[1:3]) if last else sizes
    channels = op.whole("channels", 1)
    return (sizes[0], *sizes[2:], channels) if last else (sizes[0], channels, *sizes[2:])


POOLS = frozenset({"AveragePool", "MaxPool", "LpPool"})
IMAGES: dict[str, Rule] = {
    **dict.fromkeys(POOLS, _pool),
    **dict.fromkeys(("ReorderInput", "ReorderOutput"), _blocked),
    **dict.fromkeys(("Conv", "ConvInteger"), _conv),
    **dict.fromkeys(("RoiAlign", "MaxRoiPool"), _regions),
    "AffineGrid": _grid,
    "Col2Im": _columns,
    "ConvTranspose": _transposed_conv,
    "DFT": _transform,
    "GridSample": _sampled,
    "MaxUnpool": _unpooled,
    "MelWeightMatrix": _mel,
}
