"""The root of the sum of squares, which neither ONNX' converter nor TFLite has as one operation.

Source: TensorFlow's `EuclideanNorm`, the operation of tf.math.reduce_euclidean_norm.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, axes = inputs
    return [tf.sqrt(tf.reduce_sum(x * x, axes, keepdims=op.get_attr("keep_dims")))]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.is_floating)


LOWERING = Lowering("euclidean_norm", ("onnx", "tflite"), ("EuclideanNorm",), _emit, _applies)
