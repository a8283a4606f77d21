import numpy as np
import pytest
import tensorflow as tf


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("size", [1, 2, 50])
def test_numbers_are_found_where_they_are(converted, format_name, dtype, size):
    order = np.random.default_rng(0).permutation(size).astype(dtype)
    for (value,) in converted(tf.math.invert_permutation, format_name, order)[0]:
        assert value.dtype == dtype
        np.testing.assert_array_equal(value, np.argsort(order))
