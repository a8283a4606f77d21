import numpy as np
import tensorflow as tf

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")


def test_a_promised_shape_is_the_shape_from_there_on(converted):
    results, operators = converted(
        lambda x: tf.ensure_shape(x, (None, None, 4)) * np.array([1, 2, 3, 4], "float32"), "tflite", X, dynamic=True
    )
    assert "RESHAPE v1" in operators
    for (value,) in results:
        np.testing.assert_array_equal(value, X * np.array([1, 2, 3, 4], "float32"))


def test_a_shape_that_is_known_is_promised_for_nothing(converted):
    results, operators = converted(lambda x: tf.ensure_shape(x, (None, 3, 4)) * 2, "tflite", X)
    assert "RESHAPE v1" not in operators
    for (value,) in results:
        np.testing.assert_array_equal(value, X * 2)
