import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).normal(0, 40, (2, 6, 5)).astype("float32")
X[0, :2, 1] = -np.inf
LOWEST = -(2.0**90)  # for what sums nothing


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("axis", [1, -1])
def test_sums_are_those_of_tensorflow(converted, format_name, exclusive, reverse, axis):
    function = lambda x: tf.math.cumulative_logsumexp(x, axis, exclusive, reverse)  # noqa: E731  called twice
    results, _ = converted(function, format_name, X)
    for (value,) in results:
        assert_close(np.maximum(value, LOWEST), np.maximum(function(X.astype("float64")), LOWEST), scale=100)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_any_length_will_do(converted, format_name):
    results, _ = converted(lambda x: tf.math.cumulative_logsumexp(x, 1), format_name, X[1:], dynamic=True)
    for (value,) in results:
        assert_close(value, np.asarray(tf.math.cumulative_logsumexp(X[1:].astype("float64"), 1)), scale=100)
