"""The inverse of a permutation: the index of each number. tf2onnx sorts, and gives int64 for int32.

The index is the sum of all indices, each multiplied by 1 if the number is there and by 0 if not.
Source: https://www.tensorflow.org/api_docs/python/tf/math/invert_permutation
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    places = tf.range(tf.shape(inputs[0])[0])
    there = tf.equal(tf.cast(inputs[0], tf.int32)[None, :], places[:, None])
    result = tf.reduce_sum(tf.cast(there, tf.int32) * places[None, :], 1)
    return [tf.cast(result, op.outputs[0].dtype)]


LOWERING = Lowering("invert_permutation", ("onnx", "tflite"), ("InvertPermutation",), _emit)
