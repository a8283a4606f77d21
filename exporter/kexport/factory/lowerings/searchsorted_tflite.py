"""Insertion indices into sorted rows, which TFLite lacks: the number of elements before them.

The lower bound of v counts the elements below v, the upper bound those that v is not below: NaN goes to the end.
Source: TensorFlow's `LowerBound` and `UpperBound`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    row, value = tf.expand_dims(inputs[0], 1), tf.expand_dims(inputs[1], 2)
    before = row < value if op.type == "LowerBound" else tf.logical_not(value < row)
    return [tf.reduce_sum(tf.cast(before, op.get_attr("out_type")), 2)]


LOWERING = Lowering("searchsorted_tflite", ("tflite",), ("LowerBound", "UpperBound"), _emit)
