"""`log(1 + exp(x))` that neither overflows nor cancels; TFLite's converter writes it as it stands, infinite above 88.

softplus(x) = max(x, 0) + log(1 + u), u = exp(-|x|) <= 1. With s = u / (2 + u) <= 1/3, log(1 + u) = 2 atanh(s), which
is 2 (s + s z Q(z)), z = s^2. XNNPACK's logarithm of a number near 1 has a large relative error.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 4.1.27 and 4.6.22; Q as in `_polynomial`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._log1p import atanh_near_zero
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    u = tf.exp(-tf.abs(x))
    return [tf.nn.relu(x) + 2.0 * atanh_near_zero(u / (2.0 + u))]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("softplus_tflite", ("tflite",), ("Softplus",), _emit, _applies)
