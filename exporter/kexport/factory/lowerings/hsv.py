"""Conversion between RGB and HSV, which both converters lack, by its definition.

With `v = max(r, g, b)` and `d = v - min(r, g, b)`: `s = d / v`, and the hue is `(g - b) / 6d` where red is the largest,
`2/6 + (b - r) / 6d` where green is, `4/6 + (r - g) / 6d` else, plus 1 where it is negative; 0 where d is. Back, with
`x = 6 h`: red is `v (1 - s + s clip(|x - 3| - 1))`, green and blue the same with `2 - |x - 2|` and `2 - |x - 4|`.
Source: A. R. Smith, Color gamut transform pairs, SIGGRAPH 1978; TensorFlow, documentation of tf.image.rgb_to_hsv.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    return [(_to_hsv if op.type == "RGBToHSV" else _to_rgb)(*_channels(inputs[0]))]


def _channels(x: Tensor) -> list[Tensor]:
    import tensorflow as tf

    return list(tf.split(x, 3, -1))


def _to_hsv(red: Tensor, green: Tensor, blue: Tensor) -> Tensor:
    import tensorflow as tf

    value = tf.maximum(tf.maximum(red, green), blue)
    spread = value - tf.minimum(tf.minimum(red, green), blue)
    none = tf.zeros_like(value)
    flat, dark = spread <= none, value <= none
    saturation = tf.where(dark, none, spread / tf.where(dark, tf.ones_like(value), value))
    share = (1 / 6) / tf.where(flat, tf.ones_like(spread), spread)
    from_green = tf.where(tf.equal(green, value), share * (blue - red) + 2 / 6, share * (red - green) + 4 / 6)
    hue = tf.where(tf.equal(red, value), share * (green - blue), from_green)
    hue = tf.where(flat, none, tf.where(hue < none, hue + 1, hue))
    return tf.concat([hue, saturation, value], -1)


def _to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    import tensorflow as tf

    sixth = hue * 6
    shares = [tf.abs(sixth - 3) - 1, 2 - tf.abs(sixth - 2), 2 - tf.abs(sixth - 4)]
    clipped = [tf.minimum(tf.maximum(share, 0), 1) for share in shares]
    return tf.concat([(1 - saturation + saturation * share) * value for share in clipped], -1)


LOWERING = Lowering("hsv", ("onnx", "tflite"), ("RGBToHSV", "HSVToRGB"), _emit)
