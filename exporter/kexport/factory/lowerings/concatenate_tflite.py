"""Concatenation in TFLite without parts that are empty along its axis: XNNPACK's kernel takes another in their place.

Source: TensorFlow's `ConcatV2`, to which an empty part adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _parts(inputs: Sequence[Tensor]) -> list[Tensor]:
    """The parts that are not known to be empty; the first where all of them are. All where nothing is known."""
    import tensorflow as tf

    *parts, axis = inputs
    place = tf.get_static_value(axis)
    if place is None or any(part.shape.rank is None for part in parts):
        return parts
    return [part for part in parts if part.shape[int(place)] != 0] or parts[:1]


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    parts = _parts(inputs)
    return [tf.concat(parts, inputs[-1]) if len(parts) > 1 else tf.identity(parts[0])]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return len(_parts(inputs)) < len(inputs) - 1


LOWERING = Lowering("concatenate_tflite", ("tflite",), ("ConcatV2",), _emit, _applies)
