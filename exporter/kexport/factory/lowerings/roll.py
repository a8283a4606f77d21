"""Rolling along axes: the last part of an axis is put before the rest.

TFLite lacks it, and tf2onnx takes the sizes of the result from it, which what follows may need.

Source: TensorFlow's `Roll`; shifts count modulo the length of the axis.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _rolled(x: Tensor, shift: Tensor, axis: int) -> Tensor:
    import tensorflow as tf

    length = x.shape[axis]
    if length is None:
        length = tf.shape(x)[axis]
    cut = (length - shift) % (tf.maximum(length, 1) if tf.is_tensor(length) else max(length, 1))
    if not tf.is_tensor(cut) and not cut:
        return x  # and not an empty slice, of which TFLite makes the whole
    whole = [slice(None)] * axis
    last, rest = x[[*whole, slice(cut, None)]], x[[*whole, slice(None, cut)]]
    return tf.concat([last, rest], axis)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import numpy as np
    import tensorflow as tf

    x, shifts, axes = inputs
    static, places = tf.get_static_value(shifts), np.ravel(tf.get_static_value(axes))
    parts = tf.unstack(tf.cast(tf.reshape(shifts, [-1]), tf.int32)) if static is None else map(int, np.ravel(static))
    for shift, axis in zip(parts, places, strict=True):
        x = _rolled(x, shift, int(axis) % x.shape.rank)
    return [x]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    axes = tf.get_static_value(inputs[2])
    return bool(inputs[0].shape.rank) and axes is not None and inputs[1].shape.is_fully_defined()


LOWERING = Lowering("roll", ("onnx", "tflite"), ("Roll",), _emit, _applies)
