"""Soft non-maximum suppression is refused for ONNX: tf2onnx writes the hard one in its place.

Source: ONNX' NonMaxSuppression, which has no sigma; TensorFlow's `NonMaxSuppressionV5`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering, UnsupportedError


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    raise UnsupportedError("ONNX suppresses boxes wholly or not at all, and lowers no scores")


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    return tf.get_static_value(inputs[5]) != 0  # None where it is no constant


LOWERING = Lowering("non_max_suppression_onnx", ("onnx",), ("NonMaxSuppressionV5",), _emit, _applies)
