"""The layers that a network is drawn from, by the rank of what they take. `None` is a size that is not fixed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from network_cases._network import Layer

Shape = tuple[int | None, ...]  # without the batch
Draw = Callable[["Dice", Shape], "Layer | None"]


class Dice:
    """Draws from a seeded generator.

    Args:
        rng: the generator.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def of(self, *values: Any) -> Any:
        """One of several values."""
        return values[int(self.rng.integers(len(values)))]

    def chance(self, share: float) -> bool:
        """Whether something that happens so often happens."""
        return bool(self.rng.random() < share)

    def some(self, **options: Any) -> dict[str, Any]:
        """About half of some options."""
        return {key: value for key, value in options.items() if self.chance(0.5)}


def _activation(dice: Dice) -> str:
    return str(dice.of("relu", "tanh", "sigmoid", "gelu", "elu", "selu", "silu", "softplus", "linear", "leaky_relu",
                       "hard_sigmoid", "softsign", "relu6", "mish", "hard_silu"))  # fmt: skip


def activation(dice: Dice, shape: Shape) -> Layer | None:
    """A function of each element, or of the last axis."""
    kind = dice.of("Activation", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax")
    if kind == "Activation":
        return Layer(kind, {"activation": _activation(dice)})
    if kind == "ReLU":
        return Layer(kind, dice.some(max_value=0.7, negative_slope=0.1))
    if kind == "PReLU":
        return Layer(kind, {"shared_axes": list(range(1, len(shape)))} if None in shape else {})
    if kind == "Softmax" and shape[-1] == 1:
        return None
    return Layer(kind)


def normalisation(dice: Dice, shape: Shape) -> Layer | None:
    """A normalisation whose statistics are of more than one element."""
    kind = dice.of("BatchNormalization", "BatchNormalization", "LayerNormalization", "GroupNormalization",
                   "UnitNormalization", "RMSNormalization")  # fmt: skip
    channels = shape[-1]
    fixed = None not in shape
    if kind == "BatchNormalization":
        axis = dice.of(-1, -1, 1) if shape[0] is not None else -1
        return Layer(kind, {"axis": axis, **dice.some(scale=False, center=False, epsilon=1e-5)})
    if channels is None or channels < 2:
        return None
    if kind == "LayerNormalization":
        axis = dice.of(-1, tuple(range(1, len(shape) + 1))) if fixed else -1
        return Layer(kind, {"axis": axis, **dice.some(scale=False, center=False, epsilon=1e-5)})
    if kind == "GroupNormalization":
        if len(shape) == 1 and channels < 4:
            return None
        groups = [n for n in (1, 2, 3, 4, channels) if channels % n == 0 and (len(shape) > 1 or channels // n > 2)]
        return Layer(kind, {"groups": dice.of(*groups), **dice.some(scale=False, center=False)})
    if kind == "RMSNormalization":
        return Layer(kind, {"axis": -1})
    return Layer(kind, {"axis": -1})


def dense(dice: Dice, shape: Shape) -> Layer | None:
    """A dense layer on the last axis."""
    options = {"units": dice.of(2, 3, 4, 6), **dice.some(activation=_activation(dice))}
    return Layer("Dense", options | ({"use_bias": False} if dice.chance(0.2) else {}))


def inactive(dice: Dice, shape: Shape) -> Layer | None:
    """What does something in training only."""
    kinds = ["Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout", "Identity"]
    kind = dice.of(*kinds)
    return Layer(kind, {} if kind == "Identity" else {"stddev" if kind == "GaussianNoise" else "rate": 0.2})


def rescaling(dice: Dice, shape: Shape) -> Layer | None:
    """A scale and an offset."""
    return Layer("Rescaling", {"scale": dice.of(0.5, 2.0, -1.5), "offset": dice.of(0.0, 0.3)})


def _sizes(dice: Dice, count: int, *values: int) -> Any:
    """One size, or one for each axis."""
    return dice.of(*values) if dice.chance(0.6) or count == 1 else tuple(dice.of(*values) for _ in range(count))


def spatial(shape: Shape) -> list[int | None]:
    """The sizes but that of the channels."""
    return list(shape[:-1])


def _padding(dice: Dice, shape: Shape, reach: int) -> str:
    """`same` where an axis may be shorter than what the layer reaches over."""
    fits = all(size is not None and size >= reach for size in spatial(shape))
    return str(dice.of("same", "valid")) if fits else "same"


def convolution(dice: Dice, shape: Shape) -> Layer | None:
    """A convolution of any kind."""
    rank, channels = len(shape) - 1, shape[-1]
    if channels is None or rank > 2:
        return None
    names = ("Conv", "Conv", "Conv", "DepthwiseConv", "SeparableConv", "ConvTranspose")
    kind = dice.of(*names)
    name = f"Conv{rank}DTranspose" if kind == "ConvTranspose" else f"{kind}{rank}D"
    kernel = _sizes(dice, rank, 1, 2, 3)
    stride = _sizes(dice, rank, 1, 2) if dice.chance(0.4) else 1
    if kind in ("DepthwiseConv", "SeparableConv") and not isinstance(stride, int):
        stride = stride[0]  # Keras refuses others
    options: dict[str, Any] = {"kernel_size": kernel, "padding": _padding(dice, shape, 3)}
    if kind != "DepthwiseConv":
        options["filters"] = dice.of(2, 3, 4)
    if stride != 1:
        options["strides"] = stride
    elif kind in ("Conv", "SeparableConv", "DepthwiseConv") and dice.chance(0.3):
        options["dilation_rate"] = 2
        options["padding"] = _padding(dice, shape, 5)
    if kind == "Conv" and channels % 2 == 0 and dice.chance(0.25):
        options["groups"], options["filters"] = 2, 4
    if kind == "Conv" and rank == 1 and dice.chance(0.2) and "groups" not in options:
        options["padding"] = "causal"
    if kind in ("DepthwiseConv", "SeparableConv") and dice.chance(0.2):
        options["depth_multiplier"] = 2
    return Layer(name, options | dice.some(use_bias=False, activation=_activation(dice)))


def pooling(dice: Dice, shape: Shape) -> Layer | None:
    """A pooling over windows."""
    rank = len(shape) - 1
    if rank > 3:
        return None
    options = {"pool_size": dice.of(2, 3), "padding": _padding(dice, shape, 3)}
    return Layer(f"{dice.of('Max', 'Average')}Pooling{rank}D", options | dice.some(strides=dice.of(1, 2)))


def global_pooling(dice: Dice, shape: Shape) -> Layer | None:
    """A pooling over everything."""
    return Layer(f"Global{dice.of('Max', 'Average')}Pooling{len(shape) - 1}D", dice.some(keepdims=True))


def enlarging(dice: Dice, shape: Shape) -> Layer | None:
    """Up-sampling, padding, or cropping."""
    rank = len(shape) - 1
    if rank == 2 and dice.chance(0.5):
        options = {"size": _sizes(dice, 2, 2, 3), "interpolation": dice.of("nearest", "bilinear")}
        return Layer("UpSampling2D", options)
    if rank < 3 and dice.chance(0.4):
        return Layer(f"UpSampling{rank}D", {"size": 2})
    if dice.chance(0.3) and all(size is not None and size > 3 for size in spatial(shape)):
        return Layer(f"Cropping{rank}D", {"cropping": 1})
    return Layer(f"ZeroPadding{rank}D", {"padding": _sizes(dice, rank, 1, 2)})


def reordering(dice: Dice, shape: Shape) -> Layer | None:
    """Another order of axes, or another shape."""
    if None in shape or len(shape) < 2:
        return None
    if dice.chance(0.4):
        return Layer("Permute", {"dims": tuple(int(axis) for axis in 1 + dice.rng.permutation(len(shape)))})
    if dice.chance(0.4):
        return Layer("Flatten")
    return Layer("Reshape", {"target_shape": (-1, shape[-1]) if len(shape) > 2 else (shape[-1], shape[0])})


def recurrent(dice: Dice, shape: Shape) -> Layer | None:
    """A recurrent layer, perhaps in both directions."""
    kind = dice.of("LSTM", "GRU", "SimpleRNN")
    options: dict[str, Any] = {"units": dice.of(2, 3, 4), "return_sequences": dice.chance(0.6)}
    options |= dice.some(use_bias=False) if dice.chance(0.3) else {}
    if dice.chance(0.2):
        options["activation"] = dice.of("relu", "sigmoid", "tanh", "softsign")
    if kind == "GRU" and dice.chance(0.3):
        options["reset_after"] = False
    if dice.chance(0.35):
        merge = dice.of("concat", "sum", "ave", "mul")
        return Layer("Bidirectional", {"layer": Layer(kind, options), "merge_mode": merge})
    return Layer(kind, options | ({"go_backwards": True} if dice.chance(0.2) else {}))


def each_step(dice: Dice, shape: Shape) -> Layer | None:
    """A layer at each step."""
    inner: Any = dense(dice, shape[1:])
    if len(shape) == 4:
        inner = convolution(dice, shape[1:])
    return None if inner is None else Layer("TimeDistributed", {"layer": inner})


def einsum(dice: Dice, shape: Shape) -> Layer | None:
    """A dense layer as a sum over axes."""
    units = dice.of(2, 3, 4)
    return Layer("EinsumDense", {"equation": "btc,cd->btd", "output_shape": (None, units), "bias_axes": "d"})


def repeated(dice: Dice, shape: Shape) -> Layer | None:
    """A sequence of one vector."""
    return Layer("RepeatVector", {"n": dice.of(2, 3)})


def shaped(dice: Dice, shape: Shape) -> Layer | None:
    """A vector as a sequence."""
    size = shape[0] or 0
    (count,) = [n for n in (4, 3, 2, 1) if size % n == 0][:1]
    return Layer("Reshape", {"target_shape": (count, size // count)}) if count > 1 and size // count > 1 else None


def of_videos(dice: Dice, shape: Shape) -> Layer | None:
    """A layer on a sequence of images."""
    if dice.chance(0.5):
        options = {"filters": 2, "kernel_size": dice.of(2, 3), "padding": "same"}
        return Layer("ConvLSTM2D", {**options, "return_sequences": dice.chance(0.6)})
    return Layer("Conv3D", {"filters": dice.of(2, 3), "kernel_size": _sizes(dice, 3, 1, 2, 3), "padding": "same"})


_ANYWHERE: tuple[Draw, ...] = (activation, normalisation, normalisation, dense, inactive, rescaling)
#: By rank without the batch.
LAYERS: dict[int, tuple[Draw, ...]] = {
    1: (*_ANYWHERE, dense, repeated, shaped),
    2: (*_ANYWHERE, convolution, convolution, recurrent, recurrent, pooling, global_pooling, enlarging, reordering,
        each_step, einsum),
    3: (*_ANYWHERE, convolution, convolution, convolution, pooling, global_pooling, enlarging, enlarging, reordering),
    4: (*_ANYWHERE, of_videos, of_videos, each_step, pooling, global_pooling, enlarging),
}  # fmt: skip
#: What keeps the shape, for branches that come together again.
KEEPING: tuple[Draw, ...] = (activation, normalisation, rescaling, inactive)
