import numpy as np
import pytest
import tensorflow as tf


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_magnitude_and_sign_hold_at_the_extremes(converted, dtype):
    limits = np.iinfo(dtype)
    x = np.array([limits.min, limits.min + 1, -1, 0, 1, limits.max], dtype)
    results, _ = converted(lambda x: [tf.abs(x), tf.sign(x)], "tflite", x)
    for magnitude, sign in results:
        np.testing.assert_array_equal(magnitude, [limits.min, limits.max, 1, 0, 1, limits.max])
        np.testing.assert_array_equal(sign, [-1, -1, -1, 0, 1, 1])
