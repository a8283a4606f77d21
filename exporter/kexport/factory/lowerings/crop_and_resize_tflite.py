"""Boxes of images at one size, which TFLite lacks: columns and rows are gathered, two of each where it interpolates.

Sample i of n along an axis of size s is at (low (n - 1 - i) + high i) (s - 1) / (n - 1); where n is 1, in
the middle of the box. What lies outside of the image has the value of extrapolation.
Source: TensorFlow, documentation of tf.image.crop_and_resize, and its kernel (crop_and_resize_op.cc).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


@dataclass(frozen=True)
class _Samples:
    """Where the samples of each box are along an axis: numbers of elements, and how far they are from the first.

    Attributes:
        first: the element before each, or the nearest one.
        second: the element behind it.
        share: how much of the second there is.
        inside: whether it is in the image.
    """

    first: Tensor
    second: Tensor
    share: Tensor
    inside: Tensor


def _samples(low: Tensor, high: Tensor, count: int, size: Tensor, nearest: bool) -> _Samples:
    import tensorflow as tf

    end = tf.cast(size - 1, tf.float32)
    if count > 1:
        step = (high - low) * end / (count - 1)
        at = tf.expand_dims(low * end, 1) + tf.expand_dims(step, 1) * tf.range(count, dtype=tf.float32)
    else:
        at = tf.expand_dims(0.5 * (low + high) * end, 1)
    inside = tf.logical_and(at >= 0.0, at <= end)
    at = tf.minimum(tf.maximum(at, 0.0), end)
    first = tf.floor(at + 0.5 if nearest else at)
    second = tf.minimum(first + 1.0, end)
    return _Samples(tf.cast(first, tf.int32), tf.cast(second, tf.int32), at - first, inside)


def _along(x: Tensor, axis: int, samples: _Samples, nearest: bool) -> Tensor:
    """The samples along an axis of the image of each box."""
    import tensorflow as tf

    first = tf.gather(x, samples.first, axis=axis, batch_dims=1)
    if nearest:
        return first
    second = tf.gather(x, samples.second, axis=axis, batch_dims=1)
    share = tf.expand_dims(tf.expand_dims(samples.share, -1), 3 - axis)
    return first + (second - first) * share


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    images, boxes, places, sizes = inputs
    height, width = (int(size) for size in tf.get_static_value(sizes))
    nearest = op.get_attr("method") == b"nearest"
    low_y, low_x, high_y, high_x = tf.unstack(boxes, 4, axis=1)
    shape = tf.shape(images)
    rows = _samples(low_y, high_y, height, shape[1], nearest)
    columns = _samples(low_x, high_x, width, shape[2], nearest)
    cropped = tf.cast(tf.gather(images, places), tf.float32)
    cropped = _along(_along(cropped, 2, columns, nearest), 1, rows, nearest)
    inside = tf.logical_and(tf.expand_dims(rows.inside, 2), tf.expand_dims(columns.inside, 1))
    elsewhere = tf.constant(op.get_attr("extrapolation_value"), tf.float32)
    result = tf.where(tf.expand_dims(inside, 3), cropped, elsewhere)
    result.set_shape(op.outputs[0].shape)
    return [result]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    images, boxes, _, sizes = inputs
    return images.shape.rank == 4 and boxes.shape.rank == 2 and tf.get_static_value(sizes) is not None


LOWERING = Lowering("crop_and_resize_tflite", ("tflite",), ("CropAndResize",), _emit, _applies)
