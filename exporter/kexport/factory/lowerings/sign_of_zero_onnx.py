"""The sign bit of a float32, as Keras reads it (`bits & 0x80000000 < 0`), without access to the bits, which ONNX lacks.

Where x < 0 or 1/x < 0 the bit is set: the reciprocal tells -0 from 0. NaN counts as positive. Keras asks for it before
each argmax and argmin of floats.
Source: IEEE 754-2019, 6.3 and 7.3, for the reciprocal of a zero.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_SIGN = -(2**31)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    negative = (x < 0) | (tf.math.reciprocal(x) < 0)
    return [tf.cast(negative, tf.int32) * tf.constant(_SIGN)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    """Whether nothing but the sign bit is read."""
    import tensorflow as tf

    users = op.outputs[0].consumers()
    masked = [user.type == "BitwiseAnd" and tf.get_static_value(user.inputs[1]) == _SIGN for user in users]
    return inputs[0].dtype == tf.float32 and op.outputs[0].dtype == tf.int32 and bool(masked) and all(masked)


LOWERING = Lowering("sign_of_zero_onnx", ("onnx",), ("Bitcast",), _emit, _applies, before=("bitcast_onnx",))
