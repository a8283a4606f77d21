"""Non-maximum suppression of several classes at once in TFLite, which suppresses boxes of one class: a loop over all.

The best of all classes are then taken, the first class first of equal scores.
Source: TensorFlow's `CombinedNonMaxSuppression`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._hard_suppression import hard_suppression
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    boxes, scores, most_of_class, most, overlap, lowest = inputs
    batch, count, classes = tf.unstack(tf.shape(scores))
    each = tf.minimum(most_of_class, count)
    by_class = tf.transpose(scores, [0, 2, 1])  # sample, class, box
    boxes_by_class = tf.transpose(boxes, [0, 2, 1, 3])
    boxes_by_class = tf.broadcast_to(boxes_by_class, tf.stack([batch, classes, count, 4]))  # they may share their boxes
    places = _taken(
        tf.reshape(boxes_by_class, tf.stack([batch * classes, count, 4])),
        tf.reshape(by_class, tf.stack([batch * classes, count])),
        (each, overlap, lowest),
    )

    places = tf.reshape(places, tf.stack([batch, classes, each]))
    some = places >= 0
    real = tf.maximum(places, 0)
    nothing = tf.constant(float("-inf"), scores.dtype)
    kept = tf.where(some, tf.gather(by_class, real, batch_dims=2), nothing)
    width = tf.minimum(most, most_of_class * classes) if op.get_attr("pad_per_class") else most
    kept = tf.reshape(kept, tf.stack([batch, classes * each]))
    best, at = tf.math.top_k(kept, tf.minimum(width, classes * each))

    def of_best(values: Tensor) -> Tensor:
        return tf.gather(values, at, batch_dims=1)

    corners = tf.reshape(tf.gather(boxes_by_class, real, batch_dims=2), tf.stack([batch, classes * each, 4]))
    corners = tf.clip_by_value(corners, 0.0, 1.0) if op.get_attr("clip_boxes") else corners
    names = tf.broadcast_to(tf.reshape(tf.range(classes), [1, -1, 1]), tf.stack([batch, classes, each]))
    names = tf.cast(tf.reshape(names, tf.stack([batch, classes * each])), scores.dtype)
    there = best > nothing
    values = (
        tf.where(tf.expand_dims(there, -1), of_best(corners), 0.0),
        tf.where(there, best, 0.0),
        tf.where(there, of_best(names), 0.0),
    )
    missing = width - tf.shape(there)[1]
    padded = [tf.pad(value, [[0, 0], [0, missing], [0, 0]][: len(value.shape)]) for value in values]
    shapes = [tf.stack([batch, width, 4]), *[tf.stack([batch, width])] * 2]
    sized = [tf.reshape(value, shape) for value, shape in zip(padded, shapes, strict=True)]
    return [*sized, tf.reduce_sum(tf.cast(there, tf.int32), 1)]


def _taken(boxes: Tensor, scores: Tensor, limits: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """The places of the boxes that are taken of each class of each sample, -1 behind them."""
    import tensorflow as tf

    most, overlap, lowest = limits
    rows = tf.range(tf.shape(scores)[0])

    def take(row: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        selected, taken = hard_suppression(boxes[row], scores[row], most, overlap, lowest)
        selected = tf.where(tf.range(most) < taken, selected, -1)
        is_row = tf.expand_dims(tf.equal(rows, row), -1)
        return row + 1, tf.where(is_row, tf.expand_dims(selected, 0), places)

    start = tf.constant(0), tf.fill(tf.stack([tf.shape(rows)[0], most]), -1)
    return tf.while_loop(lambda row, _: row < tf.shape(rows)[0], take, start)[1]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name == "float32"


LOWERING = Lowering("combined_suppression_tflite", ("tflite",), ("CombinedNonMaxSuppression",), _emit, _applies)
