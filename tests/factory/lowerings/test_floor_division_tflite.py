import numpy as np
import pytest
import tensorflow as tf

X = np.array([7, -7, 7, -7, 0, 1, 6, -6, np.nan], "float32")
Y = np.array([2, 2, -2, -2, 5, 3, 3, 3, 1], "float32")


def test_floats_are_divided_and_rounded_down(converted):
    results, _ = converted(tf.math.floordiv, "tflite", X, Y)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.floor(X / Y))


def test_a_divisor_of_zero_is_no_error(converted):
    results, _ = converted(tf.math.floordiv, "tflite", np.array([1, -1], "float32"), np.array([0, 0], "float32"))
    largest = np.finfo("float32").max
    for (value,) in results:  # reference kernels write the largest number for an infinite quotient
        np.testing.assert_array_equal(np.clip(value, -largest, largest), [largest, -largest])


def test_integers_of_64_bits_are_divided_exactly(converted):
    random = np.random.default_rng(0)
    x = random.integers(-(2**62), 2**62, 400) >> random.integers(0, 62, 400)
    y = random.integers(-(2**62), 2**62, 400) >> random.integers(0, 61, 400)
    x[:4], y[:4] = [2**63 - 1, -(2**63 - 1), 2**53 + 1, -7], [1, -1, 1, 2]
    y[y == 0] = 3
    results, _ = converted(tf.math.floordiv, "tflite", x, y)
    for (value,) in results:
        np.testing.assert_array_equal(value, x // y)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16"])
def test_narrow_integers_are_divided(converted, dtype):
    x = np.array([7, 100, 0, 13], dtype) if dtype.startswith("u") else np.array([7, -100, 0, -13], dtype)
    y = np.array([2, 7, 5, 4], dtype)
    results, _ = converted(tf.math.floordiv, "tflite", x, y)
    for (value,) in results:
        np.testing.assert_array_equal(value, x // y)
