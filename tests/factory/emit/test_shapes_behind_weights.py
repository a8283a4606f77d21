"""Sizes behind a weight are known in a graph that was handed over: what follows a normalisation may ask for them."""

import keras
import numpy as np
import pytest
from keras import layers

from kexport.testing.closeness import assert_close

IMAGE = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype("float32")


@pytest.mark.parametrize(
    "last",
    [
        layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
        layers.Conv2D(2, 3, dilation_rate=2, padding="same"),
    ],
)
def test_a_layer_that_asks_for_sizes_may_stand_behind_a_normalisation(exported, last):
    image = keras.Input((None, None, 3))
    hidden = layers.BatchNormalization()(layers.Conv2D(4, 3, dilation_rate=2, padding="same")(image))
    model = keras.Model(image, last(hidden))
    wanted = np.asarray(model(IMAGE))
    results, _ = exported(model, "onnx", IMAGE)
    for result in results:
        assert_close(result[0], wanted, ulps=64)


@keras.saving.register_keras_serializable(package="tests")
class Either(layers.Layer):
    """What one of two branches gives."""

    def call(self, x):
        return keras.ops.cond(keras.ops.sum(x) > 0, lambda: x * 2, lambda: x - 1)


@pytest.mark.parametrize(
    "last", [layers.Conv2DTranspose(2, 3, strides=2, padding="same"), layers.AveragePooling2D(3, 2, "same")]
)
def test_a_layer_that_asks_for_sizes_may_stand_behind_a_branch(exported, last):
    image = keras.Input((6, 6, 3))
    model = keras.Model(image, last(Either()(image)))
    for x in (IMAGE, -IMAGE):
        wanted = np.asarray(model(x))
        results, _ = exported(model, "onnx", x)
        for result in results:
            assert_close(result[0], wanted, ulps=64)
