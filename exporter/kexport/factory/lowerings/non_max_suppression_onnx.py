"""Soft non-maximum suppression for ONNX, in whose place tf2onnx writes the hard one: a loop, as in `_soft_suppression`.

Source: ONNX' NonMaxSuppression, which has no sigma; TensorFlow's `NonMaxSuppressionV5`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering, UnsupportedError
from kexport.factory.lowerings._soft_suppression import soft_suppression


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    boxes, scores, most, _, lowest, sigma = inputs
    if op.get_attr("pad_to_max_output_size"):
        raise UnsupportedError("it suppresses boxes softly, and fills up what it takes")
    return [*soft_suppression(boxes, scores, most, lowest, sigma)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    return tf.get_static_value(inputs[5]) != 0  # None where it is no constant


LOWERING = Lowering("non_max_suppression_onnx", ("onnx",), ("NonMaxSuppressionV5",), _emit, _applies)
