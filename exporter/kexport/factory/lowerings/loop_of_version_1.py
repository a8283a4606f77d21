"""Loops in the form of TensorFlow 1, whose operations lead in a circle: refused by name.

`tf.compat.v1.while_loop` makes them unless control flow of version 2 is on, as it is in TensorFlow 2.
Source: https://www.tensorflow.org/api_docs/python/tf/compat/v1/enable_control_flow_v2
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering, UnsupportedError


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    raise UnsupportedError("it has a loop in the form of TensorFlow 1")


LOWERING = Lowering("loop_of_version_1", ("onnx", "tflite"), ("Enter", "RefEnter"), _emit)
