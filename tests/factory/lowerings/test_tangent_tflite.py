import numpy as np
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.concatenate([np.linspace(-100, 100, 40001), np.linspace(1.5, 1.6, 9001), np.linspace(1e4, 1.2e4, 9001)])
X = X.astype("float32")
# Reference kernels write the largest number for an infinite sum or product.
LARGEST = float(np.finfo("float32").max)


def test_tangent_is_that_of_float64_near_its_poles_too(converted):
    truth = np.tan(X.astype("float64"))
    results, _ = converted(tf.tan, "tflite", X)
    for (value,) in results:
        assert_close(value, truth, ulps=6, scale=EACH)


def test_tangent_keeps_zero_and_nan(converted):
    edges = np.array([0.0, np.nan], "float32")
    results, _ = converted(tf.tan, "tflite", edges)
    for (value,) in results:
        np.testing.assert_array_equal(np.clip(value, -LARGEST, LARGEST), np.array([0.0, np.nan], "float32"))
