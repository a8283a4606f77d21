"""Gradients inside of a model, as class activation maps have them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(7)
IMAGE = RANDOM.normal(size=(2, 9, 8, 3)).astype("float32")
ROW = RANDOM.normal(size=(2, 12)).astype("float32")
FORMATS = pytest.mark.parametrize("format_name", ["onnx", "tflite"])


def slope(net):
    """The gradient of the largest output by the input."""

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            top = tf.reduce_max(net(x), -1)
        return tape.gradient(top, x)

    return gradient


def right(converted, format_name, net, x):
    gradient = slope(net)
    wanted = tf.function(gradient, autograph=False)(tf.constant(x))
    results, _ = converted(gradient, format_name, x)
    for (value,) in results:
        assert_close(value, wanted, ulps=256)


def head(*stages):
    keras.utils.set_random_seed(2)
    return keras.Sequential([*stages, layers.GlobalAveragePooling2D(), layers.Dense(3)])
