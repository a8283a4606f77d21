"""Floor division of floats as what it is, floor(x / y): TFLite's own kernel fails where a divisor is 0.

Source: TensorFlow's `FloorDiv` of floating point numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.lowerings._lowering import Lowering


def _emit(op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    import tensorflow as tf

    return [tf.floor(inputs[0] / inputs[1])]


def _applies(op: Any, inputs: Sequence[Any]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("floor_div_tflite", ("tflite",), ("FloorDiv",), _emit, _applies)
