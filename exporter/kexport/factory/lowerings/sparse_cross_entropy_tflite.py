"""Cross entropy of logits and class numbers, which TFLite lacks: minus the logarithm of the softmax at the class.

Its second output is the gradient, softmax(x) less one at the class.
Source: TensorFlow's `SparseSoftmaxCrossEntropyWithLogits`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, labels = inputs
    loss = -tf.gather(tf.nn.log_softmax(x), labels, axis=1, batch_dims=1)
    return [loss, tf.nn.softmax(x) - tf.one_hot(labels, tf.shape(x)[1], dtype=x.dtype)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering(
    "sparse_cross_entropy_tflite", ("tflite",), ("SparseSoftmaxCrossEntropyWithLogits",), _emit, _applies
)
