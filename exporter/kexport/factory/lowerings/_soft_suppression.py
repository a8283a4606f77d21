"""Soft non-maximum suppression, as a loop over what is taken: each box that is lowers the scores of those it overlaps.

Source: N. Bodla and others, Soft-NMS: improving object detection with one line of code, ICCV 2017; TensorFlow's
`NonMaxSuppressionV5`.
"""

from __future__ import annotations

from kexport.factory.graph.protocols import Tensor


def _overlaps(boxes: Tensor, box: Tensor) -> Tensor:
    """Intersection over union of each box with one; 0 where either has no area."""
    import tensorflow as tf

    lower, upper = tf.minimum(boxes[:, :2], boxes[:, 2:]), tf.maximum(boxes[:, :2], boxes[:, 2:])
    low, high = tf.minimum(box[:2], box[2:]), tf.maximum(box[:2], box[2:])
    areas, area = tf.reduce_prod(upper - lower, 1), tf.reduce_prod(high - low)
    common = tf.reduce_prod(tf.maximum(tf.minimum(upper, high) - tf.maximum(lower, low), 0.0), 1)
    some = tf.logical_and(areas > 0.0, area > 0.0)
    return tf.where(some, common / tf.where(some, areas + area - common, 1.0), 0.0)


def soft_suppression(
    boxes: Tensor, scores: Tensor, most: Tensor, lowest: Tensor, sigma: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The places of the boxes that are taken, their scores then, and how many they are."""
    import tensorflow as tf

    places = tf.range(most)
    everywhere = tf.range(tf.shape(scores)[0])

    def some_are_left(taken: Tensor, left: Tensor, *_: Tensor) -> Tensor:
        return tf.logical_and(taken < most, tf.reduce_any(left > lowest))

    def take(taken: Tensor, left: Tensor, selected: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        score, at = tf.math.top_k(left, 1)
        overlaps = _overlaps(boxes, tf.gather(boxes, at[0]))
        lowered = tf.where(left > lowest, left * tf.exp(-0.5 * overlaps * overlaps / sigma), left)
        return (
            taken + 1,
            tf.where(tf.equal(everywhere, at[0]), lowest, lowered),
            tf.where(tf.equal(places, taken), at[0], selected),
            tf.where(tf.equal(places, taken), score[0], kept),
        )

    start = tf.constant(0), scores, tf.zeros_like(places), tf.zeros([most], scores.dtype)
    taken, _, selected, kept = tf.while_loop(some_are_left, take, start)
    return selected[:taken], kept[:taken], taken
