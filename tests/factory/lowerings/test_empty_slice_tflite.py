import numpy as np
import pytest
import tensorflow as tf

X = np.arange(24, dtype="float32").reshape(2, 3, 4)


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
@pytest.mark.parametrize(
    "cut", [lambda x: x[:, :0], lambda x: x[:, 3:], lambda x: x[..., 2:2], lambda x: x[::2, :0], lambda x: x[:, 1, :0]]
)
def test_a_slice_of_nothing_is_empty_in_every_runtime(converted, dtype, cut):
    x = X.astype(dtype)
    results, _ = converted(lambda x: [cut(x), tf.shape(cut(x))], "tflite", x)
    for value, shape in results:
        assert value.shape == tuple(shape) == cut(x).shape
        assert value.dtype == dtype


def test_what_is_computed_from_a_slice_of_nothing_is_right(converted):
    results, _ = converted(lambda x: [tf.reduce_sum(x[:, :0], 1), tf.concat([x[:, :0], x], 1)], "tflite", X)
    for total, whole in results:
        np.testing.assert_array_equal(total, np.zeros((2, 4), "float32"))
        np.testing.assert_array_equal(whole, X)


@pytest.mark.parametrize(
    "cut",
    [
        lambda x: x[:, :0],
        lambda x: x[:, 2:1],
        lambda x: x[:, -1:-2],
        lambda x: x[:, 1:2:-1],
        lambda x: x[:0],
        lambda x: x[..., :0],
        lambda x: x[:, 1:3, :0],
        lambda x: x[:, None, ::2, :0],
        lambda x: x[:, 1, :0],
    ],
)
def test_a_slice_of_nothing_is_empty_where_no_size_is_known(converted, cut):
    results, _ = converted(lambda x: [cut(x), tf.shape(cut(x)), tf.reduce_sum(cut(x))], "tflite", X, dynamic=True)
    for value, shape, total in results:
        assert value.shape == tuple(shape) == cut(X).shape
        assert total == 0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_part_of_nothing_adds_nothing_where_no_size_is_known(converted, axis):
    cut = (slice(None),) * axis + (slice(0, 0),)
    results, _ = converted(lambda x: tf.concat([x[cut], x, x[cut], 2 * x], axis), "tflite", X, dynamic=True)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.concatenate([X, 2 * X], axis))
