"""Adjusted contrast in TFLite, which lacks it: the distance of each element from the mean of its channel, scaled.

Source: TensorFlow, documentation of tf.image.adjust_contrast.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, factor = inputs
    mean = tf.reduce_mean(x, [-3, -2], keepdims=True)
    return [(x - mean) * tf.cast(factor, x.dtype) + mean]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name == "float32" and inputs[0].shape.rank is not None


LOWERING = Lowering("contrast_tflite", ("tflite",), ("AdjustContrastv2",), _emit, _applies)
