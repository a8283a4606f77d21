import numpy as np
import pytest
import tensorflow as tf

BOUNDARIES = [-1.0, 0.0, 0.0, 1.5]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_a_bucket_is_the_number_of_boundaries_not_above(converted, dtype):
    x = np.array([[-2, -1, -0.5, 0, 1], [1.5, 2, 1e9, -1e9, 0.25]]).astype(dtype)
    results, _ = converted(lambda x: tf.raw_ops.Bucketize(input=x, boundaries=BOUNDARIES), "onnx", x)
    for (value,) in results:
        assert value.dtype == np.int32
        np.testing.assert_array_equal(value, np.digitize(x, BOUNDARIES))


def test_infinities_and_nan_lie_at_the_ends(converted):
    x = np.array([[-np.inf, np.inf, np.nan, -0.0]], "float32")
    results, _ = converted(lambda x: tf.raw_ops.Bucketize(input=x, boundaries=BOUNDARIES), "onnx", x)
    for (value,) in results:
        np.testing.assert_array_equal(value, [[0, 4, 4, 3]])


def test_without_boundaries_there_is_one_bucket(converted):
    x = np.array([[1.0, -1.0]], "float32")
    results, _ = converted(lambda x: tf.raw_ops.Bucketize(input=x, boundaries=[]), "onnx", x)
    for (value,) in results:
        np.testing.assert_array_equal(value, [[0, 0]])
