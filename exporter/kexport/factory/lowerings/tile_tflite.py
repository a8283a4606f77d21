"""Tiles along an axis of unknown size, in TFLite: the tensor beside itself.

TensorFlow's converter drops a tile before an operation that broadcasts, as a product with a number does, where sizes
before and after look alike; unknown sizes always do.
Source: measured, tensorflow 2.21.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_FEW = 8  # times; more are gathered


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, times = inputs[0], tf.get_static_value(inputs[1]).tolist()
    for axis in _unknown(x, times):
        number, times[axis] = times[axis], 1
        if number <= _FEW:
            x = tf.concat([x] * number, axis)
            continue
        size = tf.shape(x)[axis]
        x = tf.gather(x, tf.math.floormod(tf.range(number * size), size), axis=axis)
    return [x if set(times) <= {1} else tf.tile(x, times)]


def _unknown(x: Tensor, times: Sequence[int]) -> list[int]:
    """The axes of unknown size that are repeated."""
    return [axis for axis, (size, number) in enumerate(zip(x.shape, times, strict=True)) if size is None and number > 1]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    times = tf.get_static_value(inputs[1])
    return times is not None and inputs[0].shape.rank is not None and bool(_unknown(inputs[0], times.tolist()))


LOWERING = Lowering("tile_tflite", ("tflite",), ("Tile",), _emit, _applies)
