"""Reshapes to computed sizes."""

import numpy as np
import pytest
import tensorflow as tf

X = np.random.default_rng(0).normal(size=(3, 4, 2)).astype("float32")


@pytest.mark.parametrize("sizes", [lambda x: [tf.shape(x)[0], 8], lambda x: [tf.shape(x)[0] * 2, 2, 2]])
def test_a_size_that_follows_from_the_others_is_not_computed(converted, sizes):
    results, operators = converted(lambda x: tf.reshape(x, sizes(x)), "tflite", X)
    assert [name.split()[0] for name in operators] == ["RESHAPE"]
    for (value,) in results:
        np.testing.assert_array_equal(value, tf.reshape(X, sizes(X)))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1] * 2]),  # two that are not known
        lambda x: tf.reshape(x[:, :0], [tf.shape(x)[0], 0, 2]),  # any size would do
    ],
)
def test_others_are_computed(converted, function):
    results, operators = converted(function, "tflite", X, dynamic=True)
    assert any(name.startswith("SHAPE") for name in operators)
    for (value,) in results:
        np.testing.assert_array_equal(value, function(tf.constant(X)))
