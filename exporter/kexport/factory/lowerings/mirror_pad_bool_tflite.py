"""Mirrored padding of bools, which TFLite's operator does not take: that of the integers 0 and 1.

Source: TensorFlow's `MirrorPad`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, paddings = inputs
    return [tf.cast(tf.pad(tf.cast(x, tf.int32), paddings, op.get_attr("mode").decode()), tf.bool)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "bool")


LOWERING = Lowering("mirror_pad_bool_tflite", ("tflite",), ("MirrorPad",), _emit, _applies)
