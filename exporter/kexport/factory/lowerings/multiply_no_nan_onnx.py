"""A product that is 0 where its second factor is, whatever the first is, which tf2onnx lacks.

Source: TensorFlow, documentation of tf.math.multiply_no_nan.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, y = inputs
    product = x * y
    return [tf.where(tf.equal(y, 0), tf.zeros_like(product), product)]


LOWERING = Lowering("multiply_no_nan_onnx", ("onnx",), ("MulNoNan",), _emit)
