"""Convolutions in ONNX: dilated natively, 3-D ones group by group, and padded explicitly where strides are long.

tf2onnx finds groups in 2-D convolutions alone; by definition, a grouped convolution is one convolution for each slice
of the channels. It writes `auto_pad` where sizes are dynamic, with which ONNX Runtime fails where the stride is longer
than the kernel, and refuses dilation: there, padding is an operation of its own, of `max((ceil(n / s) - 1) * s + k
- n, 0)` zeros, half of them (rounded down) before. Moving space into the batch, which is how dilation is traced, is
left out, and the convolution gets the dilation itself.
Source: TensorFlow, documentation of tf.nn.convolution ("SAME"); `_convolution.py` for the dilation.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _convolution
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    if op.type in ("SpaceToBatchND", "BatchToSpaceND"):
        return _convolution.dilated(op) is not None
    return _groups(op, inputs) > 1 or _long_strides(op, inputs) or _convolution.dilated(op) is not None


def _groups(op: Operation, inputs: Sequence[Tensor]) -> int:
    """Of a 3-D convolution: how often its kernel fits into the channels."""
    if op.type != "Conv3D":
        return 1
    return int(inputs[0].shape[_convolution.axes(op).channel] or 1) // int(inputs[1].shape[-2] or 1) or 1


def _long_strides(op: Operation, inputs: Sequence[Tensor]) -> bool:
    layout = _convolution.axes(op)
    steps = zip(layout.of_space(op.get_attr("strides")), inputs[1].shape, strict=False)
    dynamic = None in layout.of_space(list(inputs[0].shape))
    return op.get_attr("padding") == b"SAME" and dynamic and any(step > taps for step, taps in steps)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    if op.type in ("SpaceToBatchND", "BatchToSpaceND"):
        return [inputs[0]]
    x, kernel = inputs
    layout, dilated = _convolution.axes(op), _convolution.dilated(op)
    rates = dilated.rates if dilated else layout.of_space(op.get_attr("dilations"))
    options = {
        "strides": op.get_attr("strides"),
        "padding": op.get_attr("padding").decode(),
        "dilations": layout.whole(rates),
        "data_format": op.get_attr("data_format").decode(),
    }
    if options["padding"] == "EXPLICIT":
        options["explicit_paddings"] = op.get_attr("explicit_paddings")
    if dilated and any(map(any, dilated.pads)):
        if None in layout.of_space(list(x.shape)):
            x = _convolution.padded(x, layout, dilated.pads)
        else:
            options["padding"] = "SAME"
    if _long_strides(op, inputs):
        taps = [(size - 1) * rate + 1 for size, rate in zip(kernel.shape, rates, strict=False)]
        x = _convolution.padded(x, layout, _convolution.same_pads(x, layout, taps, layout.of_space(options["strides"])))
        options["padding"] = "VALID"
    return [_convolved(op, x, kernel, options, _groups(op, inputs))]


def _convolved(op: Operation, x: Tensor, kernel: Tensor, options: dict[str, Tensor], groups: int) -> Tensor:
    import tensorflow as tf

    if groups > 1:
        axis = _convolution.axes(op).channel
        parts = zip(tf.split(x, groups, axis), tf.split(kernel, groups, -1), strict=True)
        return tf.concat([_convolved(op, part, part_kernel, options, 1) for part, part_kernel in parts], axis)
    return getattr(tf.raw_ops, op.type)(input=x, filter=kernel, **options)


LOWERING = Lowering(
    "convolution_onnx",
    ("onnx",),
    (*_convolution.OPS, "SpaceToBatchND", "BatchToSpaceND"),
    _emit,
    _applies,
    inner=_convolution.inside_dilated,
)
