"""Transposed convolutions in ONNX: channels last, with the output's size given in the form that tf2onnx reads.

tf2onnx takes the size apart only where it is one Pack of scalars, and crops a dynamic one along the axes of channels
last. Transpositions before and after, which it removes again, give the other order of axes. Where the output ends
after what the inputs reach (a stride longer than the kernel, output padding), ONNX' pads would be negative: the zeros
are appended after the convolution.
Source: TensorFlow, documentation of tf.nn.conv_transpose.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _convolution
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    depthwise = op.type not in _convolution.TRANSPOSED[:2]
    return (
        depthwise or _convolution.axes(op).first or inputs[0].op.type != "Pack" or any(_convolution.beyond(op, inputs))
    )


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    layout, x = _convolution.axes(op), inputs[2]
    if layout.first:
        x = tf.transpose(x, layout.to_last)
    batch, *sizes, channels = _convolution.sizes_last(op, inputs)
    more = _convolution.beyond(op, inputs)
    reached = [size - zeros if zeros else size for size, zeros in zip(sizes, more, strict=True)]
    kind, kernel = _convolution.of_all_channels(op, inputs)
    y = getattr(tf.raw_ops, kind)(
        input_sizes=tf.stack([batch, *reached, channels]),
        filter=kernel,
        out_backprop=x,
        strides=[1, *layout.of_space(op.get_attr("strides")), 1],
        dilations=[1, *layout.of_space(op.get_attr("dilations")), 1],
        padding=op.get_attr("padding").decode(),
    )
    if any(more):
        y = tf.pad(y, [(0, 0), *((0, zeros) for zeros in more), (0, 0)])
    return [tf.transpose(y, layout.to_first) if layout.first else y]


LOWERING = Lowering("transposed_convolution_onnx", ("onnx",), _convolution.TRANSPOSED, _emit, _applies)
