"""Reversal along axes that are not neighbours, one after the other: TFLite's kernel wants neighbours.

Source: TensorFlow's `ReverseV2`; reversals along different axes commute.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _axes(inputs: Sequence[Tensor]) -> list[int]:
    import tensorflow as tf

    axes, rank = tf.get_static_value(inputs[1]), inputs[0].shape.rank
    return [] if axes is None or not rank else sorted(int(axis) % rank for axis in axes)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x = inputs[0]
    for axis in _axes(inputs):
        x = tf.reverse(x, [axis])
    return [x]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    axes = _axes(inputs)
    return len(axes) > 1 and axes[-1] - axes[0] >= len(axes)


LOWERING = Lowering("reverse_tflite", ("tflite",), ("ReverseV2",), _emit, _applies)
