"""Conversion between RGB and HSV, which both converters lack, by its definition.

Source: TensorFlow, documentation of tf.image.rgb_to_hsv and tf.image.hsv_to_rgb; `_hsv`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._hsv import channels, extremes, hue_of, saturation_of, to_rgb
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    parts = channels(inputs[0])
    if op.type == "HSVToRGB":
        return [to_rgb(*parts)]
    return [tf.concat([hue_of(*parts), saturation_of(*parts), extremes(*parts)[1]], -1)]


LOWERING = Lowering("hsv", ("onnx", "tflite"), ("RGBToHSV", "HSVToRGB"), _emit)
