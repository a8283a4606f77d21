"""Non-maximum suppression by TFLite's operator, which takes equal scores in any order.

TensorFlow takes the first of them; saturated scores are common. Only the order of the scores counts, so each is
replaced by its rank.
Source: TensorFlow Lite's NON_MAX_SUPPRESSION_V4.
"""

from __future__ import annotations

from kexport.factory.graph.protocols import Tensor


def hard_suppression(
    boxes: Tensor, scores: Tensor, most: Tensor, overlap: Tensor, lowest: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The places of the boxes that are taken, filled up to the most, and how many they are.

    Args:
        boxes: float32 of shape (boxes, 4).
        scores: float32 of shape (boxes,).
        most: how many boxes are taken, int32.
        overlap: intersection over union above which one of two boxes is dropped.
        lowest: the score that boxes must exceed; None where all may be taken.
    """
    import tensorflow as tf

    count = tf.shape(scores)[0]
    order = tf.math.top_k(scores, count).indices  # the first of equal ones first
    able = count if lowest is None else tf.reduce_sum(tf.cast(scores > lowest, tf.int32))
    selected, taken = tf.raw_ops.NonMaxSuppressionV4(
        boxes=_with_area(tf.gather(boxes, order)),
        scores=tf.cast(count - tf.range(count), tf.float32),
        max_output_size=most,
        iou_threshold=overlap,
        score_threshold=tf.cast(count - able, tf.float32),
        pad_to_max_output_size=True,
    )
    return tf.gather(order, selected), taken


def _with_area(boxes: Tensor) -> Tensor:
    """The boxes, those without area as ones that overlap no other either: the kernel takes them several times over."""
    import tensorflow as tf

    empty = tf.logical_or(tf.equal(boxes[:, 0], boxes[:, 2]), tf.equal(boxes[:, 1], boxes[:, 3]))
    size = tf.reduce_max(tf.abs(boxes))
    places = tf.cast(tf.range(tf.shape(boxes)[0]), boxes.dtype)
    far = tf.stack([2.0 * places + 2.0, tf.ones_like(places), 2.0 * places + 3.0, 2.0 * tf.ones_like(places)], 1)
    return tf.where(empty[:, None], tf.where(size > 0.0, size, 1.0) * far, boxes)
