import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import kexport
from kexport.factory.trace.program import trace
from kexport.testing.closeness import EACH, assert_close


@pytest.mark.parametrize("axis", [1, -1])
def test_an_associative_scan_keeps_the_rank_that_the_model_knows(axis):
    x = keras.Input((5, 3), name="x")
    program = trace(keras.Model(x, ops.associative_scan(ops.add, x, axis=axis)))
    assert program.signature.outputs[0].shape == (None, 5, 3)
    values = np.random.default_rng(0).random((2, 5, 3), "float32")
    (found,) = program.core(tf.constant(values))
    assert_close(np.asarray(found), np.cumsum(values, axis), scale=EACH)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.GroupNormalization(2, name="y"),
        keras.layers.LayerNormalization(name="y"),
        keras.layers.LSTM(3, return_sequences=True, name="y"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_behind_a_median_have_its_channels(layer, tmp_path):
    x = keras.Input((None, None, 4), name="x")
    bundle = kexport.build(keras.Model(x, layer(ops.median(x, axis=1))), formats=["onnx", "tflite"], out=tmp_path / "m")
    assert bundle.passed


def test_what_a_layer_says_of_its_sizes_is_not_believed():
    """Only its rank is: the sizes of a shape that a user computes are often those of the input."""

    @keras.saving.register_keras_serializable("test_known_shape")
    class Loose(keras.layers.Layer):
        def call(self, x):
            return x[:, : tf.size(x) // tf.shape(x)[0] // 2]

        def compute_output_shape(self, shape):
            return shape

    x = keras.Input((6,), name="x")
    program = trace(keras.Model(x, Loose()(x)))
    (found,) = program.core(tf.zeros((2, 6)))
    assert tuple(found.shape) == (2, 3)
