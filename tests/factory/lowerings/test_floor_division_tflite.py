import numpy as np
import tensorflow as tf

X = np.float32([7, -7, 7, -7, 0, 1, 6, -6, np.nan])
Y = np.float32([2, 2, -2, -2, 5, 3, 3, 3, 1])


def test_floats_are_divided_and_rounded_down(converted):
    results, _ = converted(tf.math.floordiv, "tflite", X, Y)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.floor(X / Y))


def test_a_divisor_of_zero_is_no_error(converted):
    results, _ = converted(tf.math.floordiv, "tflite", np.float32([1, -1]), np.float32([0, 0]))
    largest = np.finfo("float32").max
    for (value,) in results:  # reference kernels write the largest number for an infinite quotient
        np.testing.assert_array_equal(np.clip(value, -largest, largest), [largest, -largest])
