"""Arithmetic of integers of 8 and 16 bits, which TFLite keeps for quantised numbers: done in int32.

A sum, difference or product of such integers fits into 32 bits, and the cast back drops the upper bits, as wrapping
arithmetic does. Sorting bools needs it: Keras sorts them as int8. Relu and Relu6 of int32 are made of the maximum.
Source: ISO C, 6.3.1.1 and 6.3.1.3, the integer promotions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_SMALL = ("int8", "int16", "uint8", "uint16")
_OPS = ("Neg", "Sub", "AddV2", "Mul", "Maximum", "Minimum", "Square", "Relu", "Relu6")


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    functions: dict[str, Callable[..., Tensor]] = {
        "Neg": lambda x: -x,
        "Sub": lambda x, y: x - y,
        "AddV2": lambda x, y: x + y,
        "Mul": lambda x, y: x * y,
        "Maximum": tf.maximum,
        "Minimum": tf.minimum,
        "Square": lambda x: x * x,
        "Relu": lambda x: tf.maximum(x, 0),
        "Relu6": lambda x: tf.minimum(tf.maximum(x, 0), 6),
    }
    result = functions[op.type](*(tf.cast(x, tf.int32) for x in inputs))
    return [tf.cast(result, inputs[0].dtype)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name in (("int32", *_SMALL) if op.type.startswith("Relu") else _SMALL)


LOWERING = Lowering("narrow_integers_tflite", ("tflite",), _OPS, _emit, _applies)
