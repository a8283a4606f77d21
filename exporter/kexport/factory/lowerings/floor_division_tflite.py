"""Floor division of floats as floor(x / y): TFLite's own kernel fails where a divisor is 0.

Source: TensorFlow's `FloorDiv` of floating point numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    return [tf.floor(inputs[0] / inputs[1])]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("floor_division_tflite", ("tflite",), ("FloorDiv",), _emit, _applies)
