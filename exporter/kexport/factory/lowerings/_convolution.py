"""Traced convolutions: their axes, and dilation, which TensorFlow expresses by moving space into the batch.

A dilated convolution without a kernel of its own on the CPU is traced as SpaceToBatchND, a convolution without
dilation, BatchToSpaceND. The paddings of the first less the crops of the last are those of the dilated convolution,
and always the ones of SAME or of VALID at stride 1.
Source: TensorFlow, documentation of tf.nn.convolution and of tf.nn.with_space_to_batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings._probe import SIZE, probed

OPS = ("Conv2D", "Conv3D", "DepthwiseConv2dNative")
#: Transposed convolutions by themselves; the gradient of a depthwise one is of the first kind.
TRANSPOSED = ("Conv2DBackpropInput", "Conv3DBackpropInputV2", "DepthwiseConv2dNativeBackpropInput")


@dataclass(frozen=True)
class Axes:
    """Which axis of a tensor is which.

    Attributes:
        spatial: how many axes are neither batch nor channel.
        first: whether the channel is axis 1, rather than the last.
    """

    spatial: int
    first: bool

    @property
    def channel(self) -> int:
        """The axis of the channels."""
        return 1 if self.first else self.spatial + 1

    @property
    def to_last(self) -> list[int]:
        """The permutation to channels last."""
        return [0, *range(2, self.spatial + 2), 1]

    @property
    def to_first(self) -> list[int]:
        """The permutation back."""
        return [0, self.spatial + 1, *range(1, self.spatial + 1)]

    def of_space(self, values: Sequence[int]) -> list[int]:
        """The entries of an attribute that belong to the spatial axes."""
        return list(values[2:] if self.first else values[1:-1])

    def whole(self, values: Sequence[int]) -> list[int]:
        """The attribute with these entries for the spatial axes."""
        return [1, 1, *values] if self.first else [1, *values, 1]


def axes(op: Operation) -> Axes:
    """The axes of the data of a convolution or pooling."""
    layout = op.get_attr("data_format").decode()
    return Axes(len(layout) - 2, layout[1] == "C")


def sizes_last(op: Operation, inputs: Sequence[Tensor]) -> list[Size]:
    """The size of a transposed convolution's output, channels last: numbers where they are known."""
    from tensorflow.python.framework import tensor_util

    layout, sizes = axes(op), inputs[0]
    static = list(tensor_util.constant_value_as_shape(sizes))
    entries = [sizes[axis] if static[axis] is None else static[axis] for axis in range(len(static))]
    return [entries[axis] for axis in layout.to_last] if layout.first else entries


def of_all_channels(op: Operation, inputs: Sequence[Tensor]) -> tuple[str, Tensor]:
    """Type and kernel of a transposed convolution of all channels; kernels of one channel get zeros for the others."""
    import tensorflow as tf

    kernel = inputs[1]
    if op.type != "DepthwiseConv2dNativeBackpropInput":
        return op.type, kernel
    *taps, channels, multiplier = kernel.shape
    own = tf.reshape(tf.eye(channels, dtype=kernel.dtype), (channels, channels, 1))
    return TRANSPOSED[0], tf.reshape(tf.expand_dims(kernel, 3) * own, (*taps, channels, channels * multiplier))


def beyond(op: Operation, inputs: Sequence[Tensor]) -> list[int]:
    """How much longer the output of a transposed convolution is than what its inputs reach, along each spatial axis."""
    layout, (_, kernel, x) = axes(op), inputs
    probes = probed([op.inputs[0]])
    if probes is None:
        return [0] * layout.spatial
    rates = layout.of_space(op.get_attr("dilations"))
    taps = [(size - 1) * rate + 1 for size, rate in zip(kernel.shape, rates, strict=False)]
    lengths = [SIZE if size is None else size for size in layout.of_space(list(x.shape))]
    reach = [
        (length - 1) * step + tap
        for length, step, tap in zip(lengths, layout.of_space(op.get_attr("strides")), taps, strict=True)
    ]
    return [max(int(size) - end, 0) for size, end in zip(layout.of_space(probes[0].tolist()), reach, strict=True)]


def padded(x: Tensor, layout: Axes, pads: Sequence[tuple[Size, Size]], filler: float = 0) -> Tensor:
    """The data with borders along the spatial axes; the graph says how many channels it has, as tf2onnx must know."""
    import tensorflow as tf

    whole = [(0, 0), (0, 0), *pads] if layout.first else [(0, 0), *pads, (0, 0)]
    bordered = tf.pad(x, tf.stack([tf.stack(pair) for pair in whole]), constant_values=tf.constant(filler, x.dtype))
    sizes = [size if axis in (0, layout.channel) else None for axis, size in enumerate(x.shape)]
    return tf.ensure_shape(bordered, sizes)


def same_pads(x: Tensor, layout: Axes, taps: Sequence[int], steps: Sequence[int]) -> list[tuple[Size, Size]]:
    """The borders that SAME padding has, along each spatial axis."""
    import tensorflow as tf

    pads: list[tuple[Size, Size]] = []
    for axis, tap, step in zip(range(2, layout.spatial + 2), taps, steps, strict=True):
        size = tf.shape(x)[axis if layout.first else axis - 1]
        total = tf.maximum(((size + step - 1) // step - 1) * step + tap - size, 0)
        pads.append((total // 2, total - total // 2))
    return pads


@dataclass(frozen=True)
class Dilated:
    """A dilated convolution as it was traced.

    Attributes:
        before: the SpaceToBatchND.
        convolution: the convolution itself.
        after: the BatchToSpaceND.
        rates: along the spatial axes of the convolution.
        pads: begin and end along each of them.
    """

    before: Operation
    convolution: Operation
    after: Operation
    rates: list[int]
    pads: list[tuple[int, int]]


def dilated(op: Operation) -> Dilated | None:
    """The dilated convolution that an operation of a traced graph is one of the three parts of."""
    finders: dict[str, Callable[[Operation], Operation | None]] = {"SpaceToBatchND": _below, "BatchToSpaceND": _above}
    convolution = finders[op.type](op) if op.type in finders else op
    if convolution is None or convolution.type not in OPS or convolution.get_attr("padding") != b"VALID":
        return None
    before, after = _through(convolution.inputs[0].op, "ExpandDims"), _only_consumer(convolution, "Squeeze")
    if before.type != "SpaceToBatchND" or after is None or after.type != "BatchToSpaceND":
        return None
    if len(before.outputs[0].consumers()) != 1 or _constant(before.inputs[1]) != _constant(after.inputs[1]):
        return None
    blocks, pads = _constant(before.inputs[1]), _pads(before, after)
    if blocks is None or pads is None:
        return None
    spatial = axes(convolution).spatial
    missing = max(spatial - len(blocks), 0)  # a 1-D convolution is traced as a 2-D one
    rates, pads = ([1] * missing + blocks)[-spatial:], ([(0, 0)] * missing + pads)[-spatial:]
    return Dilated(before, convolution, after, rates, pads)  # channels first, the channel is an axis of space, too


def inside_dilated(op: Operation) -> bool:
    """Whether an operation is one of the first two parts of a dilated convolution, whose sizes are not the result's."""
    return op.type != "BatchToSpaceND" and dilated(op) is not None


def _below(op: Operation) -> Operation | None:
    return _only_consumer(op, "ExpandDims")


def _above(op: Operation) -> Operation | None:
    return _through(op.inputs[0].op, "Squeeze")


def _through(op: Operation, kind: str) -> Operation:
    return op.inputs[0].op if op.type == kind else op


def _only_consumer(op: Operation, kind: str) -> Operation | None:
    """The only consumer of the output, or of its only consumer if that is of this kind; None if there are several."""
    consumers = op.outputs[0].consumers()
    if len(consumers) != 1:
        return None
    return _only_consumer(consumers[0], "") if consumers[0].type == kind else consumers[0]


def _constant(tensor: Tensor) -> list[int] | None:
    import tensorflow as tf

    value = tf.get_static_value(tensor)
    return None if value is None else value.tolist()


def _pads(before: Operation, after: Operation) -> list[tuple[int, int]] | None:
    """Paddings less crops."""
    probes = probed([before.inputs[2], after.inputs[2]])
    if probes is None:
        return None
    paddings, crops = probes
    pads = np.stack([paddings[:, 0], paddings[:, 1] - crops[:, 1]], axis=1)
    return None if crops[:, 0].any() or (pads < 0).any() else [(int(one), int(other)) for one, other in pads]
