import math
import statistics

import numpy as np
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.concatenate([np.linspace(0, 1, 10001)[1:-1], 1 - 2.0 ** np.arange(-24, -3), 10.0 ** np.linspace(-6, -1, 51)])
X = np.concatenate([X, -X]).astype("float32")


def test_the_inverse_error_function_is_that_of_float64(converted):
    tail = (1 - np.abs(X.astype("float64"))) / 2
    truth = -np.sign(X) * np.vectorize(statistics.NormalDist().inv_cdf)(tail) / math.sqrt(2)
    results, _ = converted(tf.math.erfinv, "tflite", X)
    for (value,) in results:
        assert_close(value, truth, ulps=5, scale=EACH)


def test_it_is_infinite_at_one_and_nan_beyond(converted):
    edges = np.array([0.0, 1.0, -1.0, 1.5, -2.0, np.nan], "float32")
    results, _ = converted(tf.math.erfinv, "tflite", edges)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.array([0, np.inf, -np.inf, np.nan, np.nan, np.nan], "float32"))
