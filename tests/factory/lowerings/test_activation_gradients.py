"""Gradients of activations, in both formats."""

import keras
import pytest
import tensorflow as tf
from _gradients import FORMATS, IMAGE, ROW, head, right
from keras import layers

ACTIVATIONS = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "softplus", "softsign", "sigmoid", "tanh", "silu", "gelu", "softmax",
    "log_softmax",
)  # fmt: skip


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


def test_through_a_loop(converted):
    def net(x):
        return tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.sin(y) * y), (0, x))[1]

    right(converted, "onnx", net, ROW)
