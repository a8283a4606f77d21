"""The index of the largest or smallest bool or int64, for which TFLite's operator, or a kernel of it, is missing.

A bool is cast to float32. For int64, it is the first index at which x equals its extremum along the axis.
Source: TensorFlow's `ArgMax` and `ArgMin`, which name the first of equals.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, axis = inputs
    smallest, output_type = op.type == "ArgMin", op.get_attr("output_type")
    if x.dtype == tf.bool:
        function = tf.argmin if smallest else tf.argmax
        return [function(tf.cast(x, tf.float32), axis, output_type)]
    reduce = tf.reduce_min if smallest else tf.reduce_max
    hit = tf.equal(x, reduce(x, axis, keepdims=True))
    return [tf.argmax(tf.cast(hit, tf.float32), axis, output_type)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name in ("bool", "int64")


LOWERING = Lowering("argmax_tflite", ("tflite",), ("ArgMax", "ArgMin"), _emit, _applies)
