"""Counting of integers, which TFLite lacks: each is compared with every value, and the hits of a row are added.

With weights, a hit counts as much as its weight; with `binary_output`, the result is whether there is any hit. Numbers
of `size` and above are not counted, as in TensorFlow.
Source: TensorFlow's `DenseBincount`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, size, weights = inputs
    hits = tf.equal(tf.expand_dims(x, -1), tf.cast(tf.range(tf.cast(size, tf.int32)), x.dtype))
    if op.get_attr("binary_output"):
        return [tf.cast(tf.reduce_any(hits, -2), weights.dtype)]
    counted = tf.cast(hits, weights.dtype)
    if _weighted(inputs):
        counted *= tf.expand_dims(weights, -1)
    return [tf.reduce_sum(counted, -2)]


def _weighted(inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[2].shape.num_elements() != 0)


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    x, _, weights = inputs
    return x.shape.rank in (1, 2) and (not _weighted(inputs) or weights.shape.rank == x.shape.rank)


LOWERING = Lowering("bincount_tflite", ("tflite",), ("DenseBincount",), _emit, _applies)
