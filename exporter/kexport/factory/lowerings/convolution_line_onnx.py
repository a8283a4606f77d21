"""A 1-D convolution of a single channel, written to ONNX as a 1-D convolution: Keras' Conv1D, and filters of signals.

TensorFlow has none: it makes an image of one row. ONNX Runtime takes 1.6 times as long for that (31 taps on 4 x 2048
samples: 48 us instead of 30). With more channels (16 into 32: 105 us instead of 147; one into 16: 27 instead of 36),
and with steps (256 taps, steps of 16, one into 36: 1.4 ms instead of 3.7), its 2-D kernels are the faster ones, and
where sums cancel up to three times more exact: there the image stays.

The row of the image, whose length is 1, is where the channel of ONNX' `(batch, channel, time)` is wanted: only the
channel behind it has to go. Border zeros of SAME at stride 1 are `(k - 1) d`, half of them (rounded down) before.
Source: TensorFlow, documentation of tf.nn.convolution ("SAME"); ONNX, operator Conv.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _convolution
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.onnx_nodes import onnx_node

_FEW = 4  # channels of the result


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    x, kernel = inputs
    if op.get_attr("data_format") != b"NHWC" or x.dtype.name != "float32" or _convolution.dilated(op) is not None:
        return False
    if x.shape.rank != 4 or (x.shape[1], x.shape[3], *kernel.shape[:1]) != (1, 1, 1) or None in kernel.shape:
        return False
    few = kernel.shape[3] <= _FEW and list(op.get_attr("strides"))[1:3] == [1, 1]
    return bool(few and op.get_attr("padding") in (b"VALID", b"SAME"))


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, kernel = inputs
    taps, channels = kernel.shape[1], kernel.shape[3]
    rate = op.get_attr("dilations")[2]
    reach = (taps - 1) * rate
    before = reach // 2 if op.get_attr("padding") == b"SAME" else 0
    after = reach - before if op.get_attr("padding") == b"SAME" else 0
    length = op.outputs[0].shape[2]
    (line,) = onnx_node(
        "Conv",
        [_line(x), tf.transpose(tf.reshape(kernel, (taps, 1, channels)), (2, 1, 0))],
        [(x.dtype, (x.shape[0], channels, length))],
        {"kernel_shape": [taps], "pads": [before, after], "strides": [1], "dilations": [rate]},
    )
    # One channel, again, needs no more than its place behind the row.
    return [tf.expand_dims(line, 3) if channels == 1 else tf.expand_dims(tf.transpose(line, (0, 2, 1)), 1)]


def _line(x: Tensor) -> Tensor:
    """`(batch, 1, time)` of an image of one row, straight from `(batch, time)` where it was made of that."""
    import tensorflow as tf

    source = _expanded(_expanded(x, 1), 2)
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
