"""Maxima of windows and where they are, which TFLite lacks: window by window, the first of equal ones.

A place is (row * columns + column) * channels + channel; with the batch in it, a whole image more for each one before.
Source: TensorFlow, documentation of tf.nn.max_pool_with_argmax.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._diagonal import sizes
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings._windows import ImageWindows


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    windows = ImageWindows(
        taps=tuple(op.get_attr("ksize")[1:3]),
        steps=tuple(op.get_attr("strides")[1:3]),
        rates=(1, 1),
        same=op.get_attr("padding") == b"SAME",
    )
    images, rows, columns, channels = sizes(x)
    size = rows * columns * channels
    numbers = tf.reshape(tf.range(size), tf.stack([1, rows, columns, channels]))
    largest, *values = windows.parts(x, tf.constant(x.dtype.min, x.dtype))
    first, *others = windows.parts(numbers, tf.constant(0))
    places = first + tf.zeros_like(largest, tf.int32)
    for value, number in zip(values, others, strict=True):
        larger = value > largest
        places = tf.where(larger, number, places)
        largest = tf.where(larger, value, largest)
    if op.get_attr("include_batch_in_index"):
        places += tf.reshape(tf.range(images) * size, [-1, 1, 1, 1])
    return [largest, tf.cast(places, op.outputs[1].dtype)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    x = inputs[0]
    return x.dtype.name == "float32" and x.shape.rank == 4 and [*op.get_attr("ksize")][::3] == [1, 1]


LOWERING = Lowering("max_pool_with_argmax_tflite", ("tflite",), ("MaxPoolWithArgmax",), _emit, _applies)
