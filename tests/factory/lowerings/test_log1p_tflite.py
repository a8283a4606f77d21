import numpy as np
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.concatenate([np.linspace(-0.999, 3, 20001), 10.0 ** np.linspace(-30, 37, 301)]).astype("float32")
# Reference kernels write the largest number for an infinite sum or product.
LARGEST = float(np.finfo("float32").max)


def test_log1p_is_accurate_near_zero_too(converted):
    truth = np.log1p(X.astype("float64"))
    results, _ = converted(tf.math.log1p, "tflite", X)
    for (value,) in results:
        assert_close(value, truth, ulps=4, scale=EACH)


def test_log1p_is_infinite_at_minus_one_and_nan_below(converted):
    edges = np.array([0.0, -1.0, -2.0, np.nan], "float32")
    results, _ = converted(tf.math.log1p, "tflite", edges)
    for (value,) in results:
        np.testing.assert_array_equal(
            np.clip(value, -LARGEST, LARGEST), np.array([0.0, -LARGEST, np.nan, np.nan], "float32")
        )
