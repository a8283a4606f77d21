import numpy as np
import pytest
import tensorflow as tf

X = np.arange(2 * 3 * 1 * 5, dtype="float32").reshape(2, 3, 1, 5)


@pytest.mark.parametrize("axis", [-2, 2])
def test_an_axis_of_one_is_the_one_that_is_named(converted, axis):
    results, _ = converted(lambda value: tf.squeeze(value + 1, [axis]), "tflite", X)
    for (value,) in results:
        np.testing.assert_array_equal(value, X[:, :, 0] + 1)


@pytest.mark.parametrize("axis", [-2, 2])
def test_after_a_transposition_too(converted, axis):
    swapped = X.transpose(0, 2, 3, 1)

    def function(value):
        value = tf.ensure_shape(value, (None, 1, None, 3))
        return tf.squeeze(tf.transpose(value, (0, 3, 1, 2)), [axis]) + 1

    results, _ = converted(function, "tflite", swapped, dynamic=True)
    for (value,) in results:
        np.testing.assert_array_equal(value, X[:, :, 0] + 1)
