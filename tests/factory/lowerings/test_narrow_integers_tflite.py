import numpy as np
import pytest
import tensorflow as tf
from keras import ops


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint8"])
def test_narrow_integers_wrap(converted, dtype):
    limits = np.iinfo(dtype)
    values = np.array([limits.min, limits.max, 0, 1, 2, limits.max // 2], dtype)
    a, b = (pair.ravel() for pair in np.meshgrid(values, values))
    results, _ = converted(lambda a, b: [a + b, a - b, a * b, tf.maximum(a, b), tf.minimum(a, b)], "tflite", a, b)
    truths = [a + b, a - b, a * b, np.maximum(a, b), np.minimum(a, b)]
    for found in results:
        for value, truth in zip(found, truths, strict=True):
            assert value.dtype == dtype
            np.testing.assert_array_equal(value, truth)


def test_bools_are_sorted(converted):
    x = np.random.default_rng(0).random((3, 9)) > 0.5
    results, _ = converted(lambda x: [ops.sort(x, -1), ops.argsort(x, -1)], "tflite", x)
    for ordered, order in results:
        np.testing.assert_array_equal(ordered, np.sort(x, -1))
        np.testing.assert_array_equal(np.take_along_axis(x, order, -1), np.sort(x, -1))


def test_integers_are_rectified(converted):
    x = np.array([-(2**31), -1, 0, 5, 6, 7, 2**31 - 1], "int32")
    results, _ = converted(lambda x: [tf.nn.relu(x), tf.nn.relu6(x)], "tflite", x)
    for relu, relu6 in results:
        np.testing.assert_array_equal(relu, np.maximum(x, 0))
        np.testing.assert_array_equal(relu6, np.clip(x, 0, 6))
