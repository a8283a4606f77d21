"""Whether a class is among the k most probable ones: fewer than k others exceed it.

False where a prediction is not finite, and for a class that does not exist, as in TensorFlow.
Source: TensorFlow's `InTopKV2`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, targets, k = inputs
    classes = tf.cast(tf.shape(x)[1], targets.dtype)
    zero = tf.zeros([], targets.dtype)
    exists = tf.logical_and(targets >= zero, targets < classes)
    score = tf.gather(x, tf.where(exists, targets, zero), axis=1, batch_dims=1)
    more = tf.reduce_sum(tf.cast(x > tf.expand_dims(score, 1), tf.int32), 1)
    finite = tf.reduce_all(tf.math.is_finite(x), 1)
    return [tf.logical_and(tf.logical_and(exists, finite), more < tf.cast(k, tf.int32))]


LOWERING = Lowering("in_top_k", ("onnx", "tflite"), ("InTopKV2",), _emit)
