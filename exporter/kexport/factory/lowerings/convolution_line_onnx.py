"""Convolutions of one row, written to ONNX as 1-D convolutions where that is faster: Conv1D, and filters of signals.

TensorFlow has 2-D convolutions only: a 1-D one is an image of one row. ONNX Runtime's 2-D kernels compute eight filters
at a time, and any stride as fast as its share of the output; its 1-D kernel multiplies matrices. So the 1-D one is the
faster for few filters (31 taps on 4096 samples: 21 us instead of 44; 9 taps of 32 channels into one: 27 instead of 48)
and for short sums (3 taps of 4 channels into 32: two thirds), never with steps (256 taps, steps of 16, one channel into
36: 0.75 ms instead of 0.59, and three times the error where sums cancel). `docs/convolution_lines.md` has the figures.

Border zeros of SAME at stride 1 are `(k - 1) d`, half of them (rounded down) before.
Source: TensorFlow, documentation of tf.nn.convolution ("SAME"); ONNX, operator Conv.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _convolution
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.onnx_nodes import onnx_node

_FEW = 4  # filters
_SHORT, _TERMS = 6, 24  # taps, and terms of a sum


def faster_as_line(taps: int, channels: int, filters: int, step: int) -> bool:
    """Whether onnxruntime's 1-D kernel is the faster one for a kernel of one row."""
    return step == 1 and (filters <= _FEW or (taps <= _SHORT and taps * channels <= _TERMS))


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    x, kernel = inputs
    if op.get_attr("data_format") != b"NHWC" or x.dtype.name != "float32" or _convolution.dilated(op) is not None:
        return False
    if x.shape.rank != 4 or (x.shape[1], *kernel.shape[:1]) != (1, 1) or None in kernel.shape:
        return False
    if x.shape[3] != kernel.shape[2] or op.get_attr("padding") not in (b"VALID", b"SAME"):  # groups, for one
        return False
    _, taps, channels, filters = kernel.shape
    return faster_as_line(taps, channels, filters, *list(op.get_attr("strides"))[2:3])


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, kernel = inputs
    _, taps, _, filters = kernel.shape
    rate = op.get_attr("dilations")[2]
    reach = (taps - 1) * rate
    before = reach // 2 if op.get_attr("padding") == b"SAME" else 0
    after = reach - before if op.get_attr("padding") == b"SAME" else 0
    length = op.outputs[0].shape[2]
    (line,) = onnx_node(
        "Conv",
        [_line(x), tf.transpose(tf.squeeze(kernel, [0]), (2, 1, 0))],
        [(x.dtype, (x.shape[0], filters, length))],
        {"kernel_shape": [taps], "pads": [before, after], "strides": [1], "dilations": [rate]},
    )
    # One channel, again, needs no more than its place behind the row.
    return [tf.expand_dims(line, 3) if filters == 1 else tf.expand_dims(tf.transpose(line, (0, 2, 1)), 1)]


def _line(x: Tensor) -> Tensor:
    """`(batch, channels, time)` of an image of one row, straight from what it was made of where that has no row."""
    import tensorflow as tf

    row = _expanded(x, 1)
    if x.shape[3] > 1:
        return tf.transpose(tf.squeeze(x, [1]) if row is None else row, (0, 2, 1))
    source = _expanded(row, 2)
    return tf.squeeze(x, [3]) if source is None else tf.expand_dims(source, 1)


def _expanded(tensor: Tensor | None, axis: int) -> Tensor | None:
    """What a tensor was made of by adding this axis; None if it was not."""
    import tensorflow as tf

    if tensor is None or tensor.op.type != "ExpandDims":
        return None
    position = tf.get_static_value(tensor.op.inputs[1])
    rank = tensor.shape.rank
    return tensor.op.inputs[0] if position is not None and int(position) % rank == axis else None


LOWERING = Lowering("convolution_line_onnx", ("onnx",), ("Conv2D",), _emit, _applies, before=("convolution_onnx",))
