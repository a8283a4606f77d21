"""Sorted segments, of which TFLite has sums alone, and none without rows: as segments in any order.

There are as many as the last number says. A segment that no row belongs to is 0, or 1 where it is a product. Sparse
segments are those of the rows that indices pick.
Source: TensorFlow, documentation of tf.math.segment_mean, tf.math.segment_max and tf.sparse.segment_sqrt_n.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_SPARSE = ("SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN")
_COUNTED = tuple(f"{kind}WithNumSegments" for kind in _SPARSE)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    rows, *picked, numbers = inputs[:-1] if op.type in _COUNTED else inputs
    numbers = tf.cast(numbers, tf.int32)
    count = tf.cast(inputs[-1], tf.int32) if op.type in _COUNTED else numbers[-1] + 1
    rows = tf.gather(rows, picked[0]) if picked else rows
    kind = op.type.removeprefix("Sparse").removesuffix("WithNumSegments").removeprefix("Segment")
    if kind == "Prod":
        return [tf.math.unsorted_segment_prod(rows, numbers, count)]
    ones = tf.reshape(tf.ones_like(numbers, rows.dtype), tf.stack([-1, *[1] * (rows.shape.rank - 1)]))
    sizes = tf.math.unsorted_segment_sum(ones, numbers, count)
    if kind in ("Max", "Min"):
        function = tf.math.unsorted_segment_max if kind == "Max" else tf.math.unsorted_segment_min
        extrema = function(rows, numbers, count)
        return [tf.where(sizes > 0, extrema, tf.zeros_like(extrema))]
    total = tf.math.unsorted_segment_sum(rows, numbers, count)
    if kind == "Sum":
        return [total]
    return [total / tf.maximum(sizes if kind == "Mean" else tf.sqrt(sizes), 1)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name == "float32" and inputs[0].shape.rank is not None


LOWERING = Lowering(
    "segment_tflite",
    ("tflite",),
    ("SegmentSum", "SegmentMean", "SegmentMax", "SegmentMin", "SegmentProd", *_SPARSE, *_COUNTED),
    _emit,
    _applies,
)
