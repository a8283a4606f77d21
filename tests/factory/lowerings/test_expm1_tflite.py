import numpy as np
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.concatenate([np.linspace(-40, 40, 20001), 10.0 ** np.linspace(-30, 0, 301)]).astype("float32")
# Reference kernels write the largest number for an infinite sum or product.
LARGEST = float(np.finfo("float32").max)


def test_expm1_is_accurate_near_zero_too(converted):
    truth = np.expm1(X.astype("float64"))
    results, _ = converted(tf.math.expm1, "tflite", X)
    for (value,) in results:
        assert_close(value, truth, ulps=64, scale=EACH)


def test_expm1_ends_at_minus_one_and_at_infinity(converted):
    edges = np.array([0.0, -np.inf, np.inf, 100.0, np.nan], "float32")
    results, _ = converted(tf.math.expm1, "tflite", edges)
    for (value,) in results:
        np.testing.assert_array_equal(
            np.clip(value, -LARGEST, LARGEST), np.array([0.0, -1.0, LARGEST, LARGEST, np.nan], "float32")
        )
