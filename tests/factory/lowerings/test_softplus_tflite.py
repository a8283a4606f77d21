import numpy as np
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.concatenate([np.linspace(-80, 200, 20001), [1e30]]).astype("float32")
# Reference kernels write the largest number for an infinite sum or product.
LARGEST = float(np.finfo("float32").max)


def test_softplus_is_that_of_float64_above_88_too(converted):
    truth = np.logaddexp(0, X.astype("float64"))
    results, _ = converted(tf.nn.softplus, "tflite", X)
    for (value,) in results:
        assert_close(value, truth, ulps=72, scale=EACH)


def test_softplus_ends_at_zero_and_at_infinity(converted):
    edges = np.array([0.0, -np.inf, np.inf, np.nan], "float32")
    results, _ = converted(tf.nn.softplus, "tflite", edges)
    for (value,) in results:
        np.testing.assert_array_equal(
            np.clip(value, -LARGEST, LARGEST), np.array([np.log(2), 0.0, LARGEST, np.nan], "float32")
        )
