import numpy as np
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
