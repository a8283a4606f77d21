import keras
import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(4)


@pytest.mark.parametrize("terms", [7, 1024, 2500])
@pytest.mark.parametrize(("first", "second"), [(False, False), (False, True), (True, True)])
def test_products_of_bytes_are_exact(converted, terms, first, second):
    one = np.full((3, terms), -128, "int8")
    one[1] = RANDOM.integers(-128, 128, terms)
    other = np.where(RANDOM.random((terms, 4)) < 0.9, -128, 127).astype("int8")

    def product(x):
        x = tf.ensure_shape(x, (3, terms))
        return tf.matmul(
            tf.transpose(x) if first else x,
            tf.constant(other.T if second else other),
            transpose_a=first,
            transpose_b=second,
            output_type=tf.int32,
        )

    results, _ = converted(product, "tflite", one)
    for (value,) in results:
        np.testing.assert_array_equal(value, one.astype("int64") @ other.astype("int64"))


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_quantised_layers_are_those_of_keras(exported, mode):
    keras.utils.set_random_seed(1)
    steps = keras.Input((5,), dtype="int32")
    hidden = keras.layers.Embedding(10, 8)(steps)
    hidden = keras.layers.EinsumDense("btd,de->bte", (None, 6), bias_axes="e", activation="relu")(hidden)
    model = keras.Model(steps, keras.layers.Dense(3)(hidden))
    model.quantize(mode, filters="embedding|dense")
    x = RANDOM.integers(0, 10, (4, 5)).astype("int32")
    results, _ = exported(model, "tflite", x)
    for (value,) in results:
        assert_close(value, np.asarray(model(x)), ulps=64)
