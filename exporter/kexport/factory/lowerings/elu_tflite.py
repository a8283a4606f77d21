"""Exponential linear units by a tangent, for reference kernels lack ELU, and the converter's SELU cancels near 0.

elu(x) = max(x, 0) + (exp(n) - 1), n = min(x, 0), and exp(n) - 1 = t / (1/2 - t/2) with t = tanh(n / 2), which is not
positive: nothing cancels. selu(x) = scale (max(x, 0) + alpha (exp(n) - 1)).
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 4.5.30; Klambauer et al., Self-Normalizing Neural
Networks, 2017, for the two constants.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_ALPHA, _SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def exponential_unit(op: Operation, x: Tensor, negative: Tensor) -> Tensor:
    """The unit of an operation, by what of its operand is below 0."""
    import tensorflow as tf

    t = tf.tanh(negative * 0.5)
    if op.type == "Elu":
        return tf.nn.relu(x) + t / (0.5 - 0.5 * t)
    half = 0.5 / (_ALPHA * _SCALE)
    return _SCALE * tf.nn.relu(x) + t / (half - half * t)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    return [exponential_unit(op, x, tf.minimum(x, 0.0))]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("elu_tflite", ("tflite",), ("Elu", "Selu"), _emit, _applies)
