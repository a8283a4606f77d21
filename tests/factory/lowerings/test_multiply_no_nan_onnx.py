import numpy as np
import tensorflow as tf

X = np.array([np.nan, np.inf, 2, 3, np.inf, 0], "float32")
Y = np.array([0, 0, 0, 4, 1, np.nan], "float32")


def test_whatever_is_multiplied_by_zero_is_zero(converted):
    results, _ = converted(tf.math.multiply_no_nan, "onnx", X, Y)
    for (value,) in results:
        np.testing.assert_array_equal(value, tf.math.multiply_no_nan(X, Y))
