"""Adjusted hue and saturation: to HSV, an addition or a factor, and back.

TFLite lacks both. tf2onnx writes the saturation without its limit of 1, and the hue of an image of four axes alone.
A turned hue keeps the smallest and the largest channel as they are.
Source: TensorFlow, documentation of tf.image.adjust_hue and tf.image.adjust_saturation; `_hsv`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._hsv import channels, extremes, hue_of, saturation_of, shares, to_rgb
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, change = inputs
    parts = channels(x)
    least, value = extremes(*parts)
    hue, change = hue_of(*parts), tf.cast(change, x.dtype)
    if op.type == "AdjustSaturation":
        saturation = tf.minimum(tf.maximum(saturation_of(*parts) * change, 0), 1)
        return [to_rgb(hue, saturation, value)]
    turned = hue + change
    turned = turned - tf.floor(turned)
    return [tf.concat([least + share * (value - least) for share in shares(turned)], -1)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name == "float32" and inputs[0].shape.rank is not None


LOWERING = Lowering("hue_and_saturation", ("onnx", "tflite"), ("AdjustHue", "AdjustSaturation"), _emit, _applies)
