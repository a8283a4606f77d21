import numpy as np
import pytest
import tensorflow as tf

X = np.array([[-2, -1, 0], [4, 5, 3]])


def _truth(x, axis, on=1, off=0):
    hot = np.expand_dims(x, axis) == np.arange(5).reshape([-1 if a == axis % 3 else 1 for a in range(3)])
    return np.where(hot, on, off)


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("dtype", ["int8", "int32", "int64"])
def test_an_index_out_of_range_is_nothing(converted, axis, dtype):
    results, _ = converted(lambda x: tf.one_hot(x, 5, axis=axis), "onnx", X.astype(dtype), dynamic=True)
    for (value,) in results:
        np.testing.assert_array_equal(value, _truth(X, axis))


@pytest.mark.parametrize("dtype", ["bool", "int32", "float16", "float64"])
def test_every_dtype_has_its_one(converted, dtype):
    results, _ = converted(lambda x: tf.one_hot(x, 5, tf.cast(1, dtype), tf.cast(0, dtype)), "onnx", X)
    for (value,) in results:
        assert value.dtype == dtype
        np.testing.assert_array_equal(value, _truth(X, -1).astype(dtype))


def test_other_values_and_a_depth_known_when_it_runs(converted):
    results, _ = converted(lambda x: tf.one_hot(x, tf.cast(tf.reduce_max(x), tf.int32), 3.5, -1.0), "onnx", X)
    for (value,) in results:
        np.testing.assert_array_equal(value, _truth(X, -1, 3.5, -1))
