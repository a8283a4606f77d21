import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.concatenate([np.linspace(0.001, 6, 6001), np.geomspace(6, 1e4, 500), np.arange(-9.75, 0, 0.5)]).astype("float32")
# Reference kernels write the largest number for an infinite sum or product.
LARGEST = float(np.finfo("float32").max)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("name", ["lgamma", "digamma"])
def test_function_is_that_of_float64(converted, format_name, name):
    truth = np.asarray(getattr(tf.math, name)(X.astype("float64")))
    results, _ = converted(getattr(tf.math, name), format_name, X)
    for (value,) in results:
        assert_close(value, truth, ulps=16, scale=np.maximum(np.abs(truth), 1))


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_zeros_and_poles_are_where_they_are(converted, format_name):
    x = np.array([1, 2, 0, -1, np.inf, np.nan], "float32")
    results, _ = converted(tf.math.lgamma, format_name, x)
    for (value,) in results:
        np.testing.assert_array_equal(
            np.minimum(value, LARGEST), np.array([0, 0, LARGEST, LARGEST, LARGEST, np.nan], "float32")
        )
