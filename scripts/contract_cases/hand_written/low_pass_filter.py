"""One convolution along time, and what puts the axes where it wants them."""

import numpy as np

from contract_cases._handmade import Handmade, node
from kexport_layers.low_pass_filter import LowPassFilter

_SIZE = 31


def _filter() -> LowPassFilter:
    return LowPassFilter(_SIZE, cutoff=40.0, sample_rate=360.0)


def _taps() -> np.ndarray:
    return np.asarray(_filter().taps, "float32")


def _single(layer):
    nodes = [
        node("Unsqueeze", "x one", "wide"),
        node("Conv", "wide taps", "filtered", pads=[_SIZE // 2, _SIZE // 2], kernel_shape=[_SIZE]),
        node("Squeeze", "filtered one"),
    ]
    return nodes, {"one": np.array([1]), "taps": _taps().reshape(1, 1, -1)}


def _channels(layer):
    """Of an image of one row, for which ONNX Runtime has faster kernels than for a line of several channels."""
    half = _SIZE // 2
    nodes = [
        node("Transpose", "x", "turned", perm=[0, 2, 1]),
        node("Unsqueeze", "turned two", "wide"),
        node("Conv", "wide taps", "filtered", pads=[0, half, 0, half], kernel_shape=[1, _SIZE], group=4),
        node("Squeeze", "filtered two", "flat"),
        node("Transpose", "flat", perm=[0, 2, 1]),
    ]
    return nodes, {"two": np.array([2]), "taps": np.tile(_taps(), (4, 1)).reshape(4, 1, 1, -1)}


def _conv(layer):
    import tensorflow as tf

    kernel = _taps().reshape(1, -1, 1, 1)
    return lambda x: tf.squeeze(tf.nn.conv2d(tf.expand_dims(tf.expand_dims(x, 1), 3), kernel, 1, "SAME"), [1, 3])


def _depthwise(layer):
    import tensorflow as tf

    kernel = np.tile(_taps()[None, :, None, None], (1, 1, 4, 1))
    return lambda x: tf.squeeze(tf.nn.depthwise_conv2d(tf.expand_dims(x, 1), kernel, [1] * 4, "SAME"), [1])


CASES = [
    Handmade("low_pass_filter", _filter, {"x": (2048,)}, 4, _single, _conv),
    Handmade("low_pass_filter of channels", _filter, {"x": (1024, 4)}, 4, _channels, _depthwise),
]
