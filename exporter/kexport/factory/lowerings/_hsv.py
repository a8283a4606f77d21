"""Conversion between RGB and HSV by its definition.

With `v = max(r, g, b)` and `d = v - min(r, g, b)`: `s = d / v`, and the hue is `(g - b) / 6d` where red is the largest,
`2/6 + (b - r) / 6d` where green is, `4/6 + (r - g) / 6d` else, plus 1 where it is negative; 0 where d is. Back, with
`x = 6 h`: red is `v (1 - s + s clip(|x - 3| - 1))`, green and blue the same with `2 - |x - 2|` and `2 - |x - 4|`.
Source: A. R. Smith, Color gamut transform pairs, SIGGRAPH 1978; TensorFlow, documentation of tf.image.rgb_to_hsv.
"""

from __future__ import annotations

from kexport.factory.graph.protocols import Tensor


def channels(x: Tensor) -> list[Tensor]:
    """The three channels of the last axis, which they keep."""
    import tensorflow as tf

    return list(tf.split(x, 3, -1))


def extremes(red: Tensor, green: Tensor, blue: Tensor) -> tuple[Tensor, Tensor]:
    """The smallest and the largest of the channels."""
    import tensorflow as tf

    return tf.minimum(tf.minimum(red, green), blue), tf.maximum(tf.maximum(red, green), blue)


def hue_of(red: Tensor, green: Tensor, blue: Tensor) -> Tensor:
    """The hue, from 0 to less than 1."""
    import tensorflow as tf

    least, value = extremes(red, green, blue)
    spread, none = value - least, tf.zeros_like(value)
    flat = spread <= none
    share = (1 / 6) / tf.where(flat, tf.ones_like(spread), spread)
    from_green = tf.where(tf.equal(green, value), share * (blue - red) + 2 / 6, share * (red - green) + 4 / 6)
    hue = tf.where(tf.equal(red, value), share * (green - blue), from_green)
    return tf.where(flat, none, tf.where(hue < none, hue + 1, hue))


def saturation_of(red: Tensor, green: Tensor, blue: Tensor) -> Tensor:
    """The saturation; 0 where no channel is above 0."""
    import tensorflow as tf

    least, value = extremes(red, green, blue)
    none = tf.zeros_like(value)
    dark = value <= none
    return tf.where(dark, none, (value - least) / tf.where(dark, tf.ones_like(value), value))


def shares(hue: Tensor) -> list[Tensor]:
    """How far the red, green and blue of a hue are from the smallest channel to the largest: from 0 to 1."""
    import tensorflow as tf

    sixth = hue * 6
    parts = [tf.abs(sixth - 3) - 1, 2 - tf.abs(sixth - 2), 2 - tf.abs(sixth - 4)]
    return [tf.minimum(tf.maximum(part, 0), 1) for part in parts]


def to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """The colours of this hue, saturation and value."""
    import tensorflow as tf

    return tf.concat([(1 - saturation + saturation * share) * value for share in shares(hue)], -1)
