import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.concatenate([np.linspace(-88, 88, 9001), np.linspace(-6, 6, 9001)]).astype("float32")
# Reference kernels write the largest number for an infinite sum or product.
LARGEST = float(np.finfo("float32").max)
FUNCTIONS = ("bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e")


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_bessel_function_is_that_of_float64(converted, format_name, name):
    truth = np.asarray(getattr(tf.math, name)(X.astype("float64")))
    results, _ = converted(getattr(tf.math, name), format_name, X)
    for (value,) in results:
        assert_close(value, truth, ulps=72, scale=EACH)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_bessel_function_ends_at_infinity(converted, format_name):
    edges = np.array([0.0, np.nan, 100.0, -100.0], "float32")
    results, _ = converted(tf.math.bessel_i0, format_name, edges)
    for (value,) in results:
        np.testing.assert_array_equal(
            np.clip(value, -LARGEST, LARGEST), np.array([1.0, np.nan, LARGEST, LARGEST], "float32")
        )
