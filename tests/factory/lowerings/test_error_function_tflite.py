import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.concatenate([np.linspace(-12, 9, 20001), 10.0 ** np.linspace(-30, 0, 301)]).astype("float32")
EDGES = np.array([0.0, np.inf, -np.inf, np.nan, 1e30, -1e30], "float32")


def test_the_error_function_is_that_of_float64(converted):
    truth = np.vectorize(math.erf)(X.astype("float64"))
    results, _ = converted(tf.math.erf, "tflite", X)
    for (value,) in results:
        assert_close(value, truth, scale=EACH)


def test_its_complement_keeps_the_relative_accuracy_of_its_tail(converted):
    truth = np.vectorize(math.erfc)(X.astype("float64"))
    results, _ = converted(tf.math.erfc, "tflite", X)
    for (value,) in results:  # XNNPACK's exponential alone is off by 32 units where it is small
        assert_close(value, truth, ulps=72, scale=EACH)
        assert_close(value[X > 0], truth[X > 0], ulps=3, scale=1)


def test_both_end_at_one_and_two(converted):
    results, _ = converted(lambda x: [tf.math.erf(x), tf.math.erfc(x)], "tflite", EDGES)
    for erf, erfc in results:
        np.testing.assert_array_equal(erf, np.array([0, 1, -1, np.nan, 1, -1], "float32"))
        np.testing.assert_array_equal(erfc, np.array([1, 0, 2, np.nan, 0, 2], "float32"))


def test_of_flags_both_are_written(converted):
    results, _ = converted(lambda x: [f(tf.cast(x > 0, tf.float32)) for f in (tf.math.erf, tf.math.erfc)], "tflite", X)
    for erf, erfc in results:
        assert_close(erf, np.where(X > 0, math.erf(1), 0.0), scale=EACH)
        assert_close(erfc, np.where(X > 0, math.erfc(1), 1.0), scale=EACH)


def test_exact_gelu_stays_one_operator(converted):
    truth = X.astype("float64") * np.vectorize(math.erfc)(-X.astype("float64") / math.sqrt(2)) / 2
    results, operators = converted(lambda x: tf.nn.gelu(x, approximate=False), "tflite", X)
    assert any("GELU" in operator for operator in operators)
    for (value,) in results:
        assert_close(value, truth, ulps=2, scale=12)


@pytest.mark.parametrize("most", [None, 0.7, 6.0])
def test_a_relu_may_follow_a_gelu(exported, most):
    gelu = keras.layers.Dense(5, activation="gelu")
    model = keras.Sequential([keras.Input((4,)), gelu, keras.layers.ReLU(max_value=most)])
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    results, _ = exported(model, "tflite", x)
    for (value,) in results:
        assert_close(value, np.asarray(model(x)), ulps=16)
