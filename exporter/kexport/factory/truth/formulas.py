"""What operations compute whose kernels TensorFlow has in single precision alone, in the dtype of what they are given.

Source: Ioffe, Szegedy, Batch Normalization, 2015, arXiv:1502.03167; Krizhevsky, Sutskever, Hinton, ImageNet
classification with deep convolutional neural networks, 2012, 3.3; TensorFlow, documentation of tf.image.adjust_hue,
adjust_saturation and adjust_contrast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kexport.factory.graph.protocols import Operation
from kexport.factory.truth.operation_noise import NORMALISATIONS


def by_formula(op: Operation, given: Sequence[Any]) -> Sequence[Any] | None:
    """The results of an operation; None of one that has kernels in double precision too, or no formula here."""
    if op.type in NORMALISATIONS:
        return _normalised(op, *given)
    formula = _FORMULAS.get(op.type)
    return [formula(op, *given)] if formula else None


def _normalised(op: Operation, x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Sequence[Any] | None:
    import tensorflow as tf

    if op.get_attr("is_training") or op.get_attr("data_format")[-1:] != b"C":
        return None
    factor = scale * tf.math.rsqrt(variance + tf.constant(op.get_attr("epsilon"), variance.dtype))
    return [(x - mean) * factor + offset, *(mean, variance) * 2, mean][: len(op.outputs)]


def _hue(_op: Operation, x: Any, turn: Any) -> Any:
    """The smallest and the largest channel stay what they are."""
    import tensorflow as tf

    least, most = (extreme(x, -1, keepdims=True) for extreme in (tf.reduce_min, tf.reduce_max))
    hue = tf.math.floormod(tf.image.rgb_to_hsv(x)[..., :1] + tf.cast(turn, x.dtype), 1)
    full = tf.ones_like(hue)
    return least + tf.image.hsv_to_rgb(tf.concat([hue, full, full], -1)) * (most - least)


def _saturation(_op: Operation, x: Any, factor: Any) -> Any:
    import tensorflow as tf

    hue, saturation, value = tf.split(tf.image.rgb_to_hsv(x), 3, -1)
    saturation = tf.clip_by_value(saturation * tf.cast(factor, x.dtype), 0, 1)
    return tf.image.hsv_to_rgb(tf.concat([hue, saturation, value], -1))


def _contrast(_op: Operation, x: Any, factor: Any) -> Any:
    import tensorflow as tf

    mean = tf.reduce_mean(x, [-3, -2], keepdims=True)
    return (x - mean) * tf.cast(factor, x.dtype) + mean


def _local_response(op: Operation, x: Any) -> Any:
    import tensorflow as tf

    radius, channels = op.get_attr("depth_radius"), x.shape[-1]
    squares = tf.pad(x * x, [[0, 0]] * 3 + [[radius, radius]])
    total = tf.add_n([squares[..., first : first + channels] for first in range(2 * radius + 1)])
    return x / (op.get_attr("bias") + op.get_attr("alpha") * total) ** op.get_attr("beta")


_FORMULAS: dict[str, Callable[..., Any]] = {
    "AdjustContrastv2": _contrast,
    "AdjustHue": _hue,
    "AdjustSaturation": _saturation,
    "LRN": _local_response,
}
