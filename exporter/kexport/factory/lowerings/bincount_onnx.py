"""Counting integers, weighted or not, by comparing with 0, 1, 2, ... and summing.

tf2onnx supports no weights. A value of `size` or above is not counted.
Source: TensorFlow's `DenseBincount`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    values, size, weights = inputs
    dtype = op.outputs[0].dtype
    hit = tf.equal(tf.expand_dims(values, -1), tf.range(tf.reshape(size, ())))
    if op.type == "DenseBincount" and op.get_attr("binary_output"):
        return [tf.cast(tf.reduce_any(hit, -2), dtype)]
    counted = tf.cast(hit, dtype)
    if weights.shape.num_elements() != 0:
        counted *= tf.expand_dims(weights, -1)
    return [tf.reduce_sum(counted, -2)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    """Whether there are values of one or two axes, and it is known whether there are weights."""
    return inputs[0].shape.rank in (1, 2) and inputs[2].shape.rank is not None


LOWERING = Lowering("bincount_onnx", ("onnx",), ("DenseBincount",), _emit, _applies)
