"""`1 / sqrt(x)` at 0 and near the ends of float32, where XNNPACK gives NaN below 10^-37 and errs above 10^38.

The square root of the reciprocal has neither: below 2^126, 1 / x is a float32 that is not subnormal; above, the result
is 0 in place of 10^-19. TensorFlow takes subnormal numbers for 0, whose answer is infinity. Where a positive constant
was added to x, as normalisations do, or is its least value, the kernel is right and stays.

Source: IEEE Std 754-2019, 9.2.1 (rSqrt: infinite at 0); measured with ai-edge-litert 2.3.0.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_SMALLEST = 2.0**-126  # float32 that is not subnormal
_SAFE = 1e-30


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    infinite = tf.fill(tf.shape(x), tf.constant(float("inf"), x.dtype))
    return [tf.where(tf.abs(x) < _SMALLEST, infinite, tf.sqrt(tf.math.reciprocal(x)))]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32") and not _is_safe(op.inputs[0].op)


def _is_safe(before: Operation) -> bool:
    """Whether a positive constant keeps the argument away from 0."""
    import tensorflow as tf

    if before.type not in ("Add", "AddV2", "Maximum"):
        return False
    values = [tf.get_static_value(tensor) for tensor in before.inputs]
    return any(value is not None and (value >= _SAFE).all() for value in values)


LOWERING = Lowering("rsqrt_tflite", ("tflite",), ("Rsqrt",), _emit, _applies)
