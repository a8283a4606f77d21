"""Insertion indices into sorted rows, which tf2onnx does not map: by counting.

The lower bound is the number of entries below the value, the upper bound that of entries not above it: all but those
that the value is below. NaN then comes first, or last, as in TensorFlow.
Source: TensorFlow's `LowerBound` and `UpperBound`; the bounds of C++ (ISO/IEC 14882, alg.binary.search).
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    row, values = (tf.expand_dims(tensor, axis) for tensor, axis in zip(inputs, (1, 2), strict=True))
    dtype = op.outputs[0].dtype
    if op.type == "LowerBound":
        return [tf.reduce_sum(tf.cast(row < values, dtype), -1)]
    count = tf.shape(inputs[0], out_type=dtype)[1]
    return [count - tf.reduce_sum(tf.cast(values < row, dtype), -1)]


LOWERING = Lowering("searchsorted_onnx", ("onnx",), ("LowerBound", "UpperBound"), _emit)
