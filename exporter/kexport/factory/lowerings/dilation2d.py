"""Greyscale dilation as the largest of slices, each raised by one element of the kernel; erosion is made of it.

Output (y, x) of a channel is the largest of input (y * stride + i * rate, x * stride + j * rate) + kernel (i, j); what
lies outside of the image does not count.
Source: TensorFlow, documentation of tf.nn.dilation2d.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings._windows import ImageWindows


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, kernel = inputs
    windows = ImageWindows(
        taps=(int(kernel.shape[0]), int(kernel.shape[1])),
        steps=tuple(op.get_attr("strides")[1:3]),
        rates=tuple(op.get_attr("rates")[1:3]),
        same=op.get_attr("padding") == b"SAME",
    )
    elements = tf.unstack(tf.reshape(kernel, [-1, kernel.shape[2]]))
    parts = windows.parts(x, tf.constant(x.dtype.min, x.dtype))
    largest = functools.reduce(tf.maximum, [part + element for part, element in zip(parts, elements, strict=True)])
    largest.set_shape(op.outputs[0].shape)
    return [largest]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    x, kernel = inputs
    return bool(x.dtype.is_floating) and x.shape.rank == 4 and kernel.shape.is_fully_defined()


LOWERING = Lowering("dilation2d", ("onnx", "tflite"), ("Dilation2D",), _emit, _applies)
