"""Unpacking of int64, which TFLite's operator does not take: one gather for each part.

Source: TensorFlow's `Unpack`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    return [tf.gather(inputs[0], index, axis=op.get_attr("axis")) for index in range(op.get_attr("num"))]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "int64")


LOWERING = Lowering("unpack_int64_tflite", ("tflite",), ("Unpack",), _emit, _applies)
