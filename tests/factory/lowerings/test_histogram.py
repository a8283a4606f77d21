import numpy as np
import pytest
import tensorflow as tf

X = np.random.default_rng(0).normal(size=(1, 400)).astype("float32")


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_counts_are_those_of_tensorflow(converted, format_name, dtype):
    function = lambda x: tf.histogram_fixed_width(x, [-1.0, 1.5], 7, dtype)  # noqa: E731  called twice
    results, _ = converted(function, format_name, X)
    for (value,) in results:
        np.testing.assert_array_equal(value, function(X))
