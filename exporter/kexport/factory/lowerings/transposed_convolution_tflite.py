"""Transposed convolutions in TFLite: channels last, and dilated by zeros in the kernel.

TRANSPOSE_CONV and CONV_3D_TRANSPOSE know one order of axes and no dilation. A kernel of k taps dilated by d is the
kernel of (k - 1) * d + 1 taps that holds them at every d-th place, and zeros between.
Source: TensorFlow, documentation of tf.nn.conv_transpose and of tf.nn.atrous_conv2d ("holes" in the filter).
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _convolution
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    depthwise = op.type not in _convolution.TRANSPOSED[:2]
    return depthwise or _convolution.axes(op).first or any(rate > 1 for rate in op.get_attr("dilations"))


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    layout, x = _convolution.axes(op), inputs[2]
    if layout.first:
        x = tf.transpose(x, layout.to_last)
    kind, kernel = _convolution.of_all_channels(op, inputs)
    y = getattr(tf.raw_ops, kind)(
        input_sizes=tf.stack(_convolution.sizes_last(op, inputs)),
        filter=_with_holes(kernel, layout.of_space(op.get_attr("dilations"))),
        out_backprop=x,
        strides=[1, *layout.of_space(op.get_attr("strides")), 1],
        padding=op.get_attr("padding").decode(),
    )
    return [tf.transpose(y, layout.to_first) if layout.first else y]


def _with_holes(kernel: Tensor, rates: Sequence[int]) -> Tensor:
    """The kernel with `rate - 1` zeros between neighbours along each axis."""
    import tensorflow as tf

    for axis, rate in enumerate(rates):
        if rate > 1:
            shape = list(kernel.shape)
            paddings = [(0, 0)] * (len(shape) + 1)
            paddings[axis + 1] = (0, rate - 1)
            spread = tf.reshape(tf.pad(tf.expand_dims(kernel, axis + 1), paddings), _scaled(shape, axis, rate))
            kernel = tf.slice(spread, [0] * len(shape), _scaled(shape, axis, rate, 1 - rate))
    return kernel


def _scaled(shape: Sequence[int], axis: int, rate: int, more: int = 0) -> list[int]:
    return [*shape[:axis], shape[axis] * rate + more, *shape[axis + 1 :]]


LOWERING = Lowering("transposed_convolution_tflite", ("tflite",), _convolution.TRANSPOSED, _emit, _applies)
