"""The larger of 0, and the smaller of 6 and an integer, in TFLite: the two bounds in the other order.

The converter takes them, in this order, for a Relu6, which it has for float32 alone, and writes no file.
Source: a bound above and one below commute while the first is not below the second.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_MOST = 6


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, most = inputs[0].op.inputs
    least = tf.zeros((), x.dtype) if op.type == "Relu" else inputs[1]
    return [tf.minimum(tf.maximum(x, least), most)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    bounded = inputs[0].op
    if inputs[0].dtype.name not in ("int32", "int64") or bounded.type != "Minimum":
        return False
    return _is(bounded.inputs[1], _MOST) and (op.type == "Relu" or _is(inputs[1], 0))


def _is(tensor: Tensor, number: int) -> bool:
    import tensorflow as tf

    value = tf.get_static_value(tensor)
    return value is not None and bool((value == number).all())


LOWERING = Lowering(
    "clip_of_integers_tflite",
    ("tflite",),
    ("Maximum", "Relu"),
    _emit,
    _applies,
    before=(
        "narrow_integers_tflite",
        "float64_places_tflite",
        "relu_of_negative_tflite",
        "extremum_of_8_bits_tflite",
    ),
)
