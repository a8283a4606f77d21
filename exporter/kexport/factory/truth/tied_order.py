"""Operations that take equal scores in an order which nothing defines: what they give is one of several right results.

TensorFlow suppresses the boxes of several classes with a heap and an unstable sort. Boxes of constant images, and
saturated ones, have equal scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kexport.bundle.signature import Array

if TYPE_CHECKING:
    import tensorflow as tf

OF_ANY_ORDER = frozenset(("CombinedNonMaxSuppression",))


def in_another_order(rng: np.random.Generator, inputs: Sequence[tf.Tensor], attrs: Sequence[object]) -> list[Array]:
    """What a combined suppression gives for the same boxes and classes in another order, which decides between ties.

    Args:
        rng: draws the order.
        inputs: of the operation.
        attrs: of the operation, names and values in turns.
    """
    import tensorflow as tf

    boxes, scores, *limits = inputs
    of_box, of_class = rng.permutation(scores.shape[1]), rng.permutation(scores.shape[2])
    boxes = tf.gather(boxes, of_box, axis=1)
    if boxes.shape[2] > 1:  # each class has boxes of its own
        boxes = tf.gather(boxes, of_class, axis=2)
    options = {str(name): value for name, value in zip(attrs[::2], attrs[1::2], strict=True) if name != "T"}
    kept, best, classes, count = (
        value.numpy()
        for value in tf.raw_ops.CombinedNonMaxSuppression(
            boxes=boxes,
            scores=tf.gather(tf.gather(scores, of_box, axis=1), of_class, axis=2),
            max_output_size_per_class=limits[0],
            max_total_size=limits[1],
            iou_threshold=limits[2],
            score_threshold=limits[3],
            **options,
        )
    )
    there = np.arange(classes.shape[1]) < count[:, None]
    return [kept, best, np.where(there, of_class[classes.astype(int)], classes).astype(classes.dtype), count]
