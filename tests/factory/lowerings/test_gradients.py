"""Gradients inside of a model, as class activation maps have them, in both formats."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(7)
IMAGE = RANDOM.normal(size=(2, 9, 8, 3)).astype("float32")
ROW = RANDOM.normal(size=(2, 12)).astype("float32")
ACTIVATIONS = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "softplus", "softsign", "sigmoid", "tanh", "silu", "gelu", "softmax",
    "log_softmax",
)  # fmt: skip
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


@FORMATS
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_through_dense_layers(converted, format_name, activation):
    keras.utils.set_random_seed(1)
    net = keras.Sequential([layers.Dense(8, activation=activation), layers.LayerNormalization(), layers.Dense(3)])
    right(converted, format_name, net, ROW)


@FORMATS
@pytest.mark.parametrize(
    "stage",
    [
        lambda: layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        lambda: layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
        lambda: layers.BatchNormalization(),
        lambda: layers.Cropping2D(((1, 2), (0, 1))),
    ],
)
def test_through_layers_of_images(converted, format_name, stage):
    right(converted, format_name, head(layers.Conv2D(3, 2, activation="tanh"), stage()), IMAGE)


@FORMATS
@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize(("size", "step", "padding"), [(2, 2, "valid"), (3, 2, "same"), (2, 3, "valid")])
def test_through_poolings(converted, format_name, kind, size, step, padding):
    pooling = getattr(layers, f"{kind}Pooling2D")(size, step, padding)
    right(converted, format_name, head(layers.ReLU(), pooling, layers.Conv2D(2, 2)), IMAGE)


@FORMATS
def test_through_branches_that_are_concatenated_and_broadcast(converted, format_name):
    def net(x):
        both = tf.concat([x, tf.sin(x) * x[:, :1, :, :]], -1)
        return tf.reduce_mean(tf.sqrt(1 + both * both), (1, 2))

    right(converted, format_name, net, IMAGE)


def test_through_a_loop(converted):
    def net(x):
        return tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.sin(y) * y), (0, x))[1]

    right(converted, "onnx", net, ROW)
