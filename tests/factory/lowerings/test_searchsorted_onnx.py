import numpy as np
import pytest
import tensorflow as tf


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_the_place_is_that_of_numpy_also_among_equals(converted, side, dtype):
    row = np.array([[-1, 0, 0, 2, 5], [1, 1, 1, 1, 9]], dtype)
    values = np.array([[-2, -1, 0, 1, 2, 7], [0, 1, 2, 8, 9, 10]], dtype)
    results, _ = converted(lambda r, v: tf.searchsorted(r, v, side), "onnx", row, values, dynamic=True)
    truth = [np.searchsorted(r, v, side) for r, v in zip(row, values, strict=True)]
    for (value,) in results:
        assert value.dtype == np.int32
        np.testing.assert_array_equal(value, truth)


def test_infinities_lie_at_the_ends(converted):
    row, values = np.array([[-np.inf, 0, np.inf]], "float32"), np.array([[-np.inf, 1, np.inf]], "float32")
    results, _ = converted(lambda r, v: tf.searchsorted(r, v, "right", tf.int64), "onnx", row, values)
    for (value,) in results:
        np.testing.assert_array_equal(value, [[1, 2, 3]])
