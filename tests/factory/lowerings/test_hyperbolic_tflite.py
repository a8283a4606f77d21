import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.concatenate([np.linspace(-89, 89, 20001), np.linspace(-2, 2, 4001), 10.0 ** np.linspace(-30, 0, 301)])
X = X.astype("float32")
# Reference kernels write the largest number for an infinite sum or product.
LARGEST = float(np.finfo("float32").max)


@pytest.mark.parametrize("name", ["sinh", "cosh"])
def test_hyperbolic_functions_are_those_of_float64(converted, name):
    truth = getattr(np, name)(X.astype("float64"))
    results, _ = converted(getattr(tf.math, name), "tflite", X)
    for (value,) in results:  # XNNPACK's exponential alone is off by 32 units where it is large
        assert_close(value, truth, ulps=72, scale=EACH)
        near = np.abs(X) < 4
        assert_close(value[near], truth[near], ulps=6, scale=EACH)


def test_hyperbolic_functions_end_at_infinity(converted):
    edges = np.array([0.0, 100.0, -100.0, np.inf, -np.inf, np.nan], "float32")
    results, _ = converted(lambda x: [tf.sinh(x), tf.cosh(x)], "tflite", edges)
    for sinh, cosh in results:
        sinh, cosh = (np.clip(value, -LARGEST, LARGEST) for value in (sinh, cosh))
        np.testing.assert_array_equal(sinh, np.array([0, LARGEST, -LARGEST, LARGEST, -LARGEST, np.nan], "float32"))
        np.testing.assert_array_equal(cosh, np.array([1, LARGEST, LARGEST, LARGEST, LARGEST, np.nan], "float32"))
