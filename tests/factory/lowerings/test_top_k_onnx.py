import numpy as np
import pytest
import tensorflow as tf


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "float64"])
def test_neighbours_and_equals_keep_their_order(converted, dtype):
    far = {"int32": 2**24, "uint32": 2**31, "int64": 2**53, "float64": 2**30}.get(dtype, 100)
    x = np.array([[far, far + 2, far + 1, far + 2], [0, 1, 1, 0]], dtype)
    results, _ = converted(lambda x: list(tf.math.top_k(x, 3)), "onnx", x)
    for values, places in results:
        assert (values.dtype, places.dtype) == (dtype, np.int32)
        np.testing.assert_array_equal(places, [[1, 3, 2], [1, 2, 0]])
        np.testing.assert_array_equal(values, np.take_along_axis(x, places, 1))
