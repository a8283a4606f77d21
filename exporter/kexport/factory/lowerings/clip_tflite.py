"""Clipping between two limits in TFLite, which has no operation for it: a maximum, then a minimum.

Source: TensorFlow's `ClipByValue`, which tf.saturate_cast leaves in a graph.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, low, high = inputs
    return [tf.minimum(tf.maximum(x, low), high)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name in ("float32", "int32", "int64")


LOWERING = Lowering("clip_tflite", ("tflite",), ("ClipByValue",), _emit, _applies)
