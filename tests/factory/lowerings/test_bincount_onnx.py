import numpy as np
import pytest
import tensorflow as tf

X = np.array([[0, 3, 3, 1], [5, 5, 5, 9]])


def _truth(x, weights):
    return np.stack([np.bincount(r[r < 6], w[r < 6], minlength=6) for r, w in zip(x, weights, strict=True)])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("kind", ["int32", "int64"])
def test_weights_are_summed_by_value(converted, dtype, kind):
    weights = np.array([[1, 2, -3, 4], [5, 6, 7, 8]], dtype)
    count = lambda x, w: tf.math.bincount(x, w, minlength=6, maxlength=6, dtype=dtype, axis=-1)  # noqa: E731
    results, _ = converted(count, "onnx", X.astype(kind), weights)
    for (value,) in results:
        assert value.dtype == dtype
        np.testing.assert_array_equal(value, _truth(X, weights))


@pytest.mark.parametrize("binary", [False, True])
def test_without_weights_values_are_counted_or_noted(converted, binary):
    count = lambda x: tf.math.bincount(x, minlength=6, maxlength=6, axis=-1, binary_output=binary)  # noqa: E731
    results, _ = converted(count, "onnx", X)
    truth = _truth(X, np.ones_like(X))
    for (value,) in results:
        np.testing.assert_array_equal(value, truth > 0 if binary else truth)
