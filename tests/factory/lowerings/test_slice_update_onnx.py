import keras
import numpy as np
import pytest

X = np.arange(60, dtype="float32").reshape(3, 4, 5)


def _truth(x, update, starts):
    starts = [min(max(s, 0), n - m) for s, n, m in zip(starts, x.shape, update.shape, strict=True)]
    truth = x.copy()
    truth[tuple(slice(s, s + m) for s, m in zip(starts, update.shape, strict=True))] = update
    return truth


@pytest.mark.parametrize("starts", [(0, 0, 0), (1, 2, 1), (2, 9, 4), (-3, 1, -1)])
@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_the_slice_lies_where_it_fits(converted, starts, dtype):
    x = X.astype(dtype)
    update = (1 - X[:2, :2]).astype(dtype)
    at = np.array(starts, "int32")
    for dynamic in (False, True):
        results, _ = converted(
            lambda x, u, s: keras.ops.slice_update(x, [s[0], s[1], s[2]], u), "onnx", x, update, at, dynamic=dynamic
        )
        for (value,) in results:
            np.testing.assert_array_equal(value, _truth(x, update, starts))


def test_a_slice_as_large_as_the_tensor_replaces_it(converted):
    x = X.reshape(1, -1)[0]
    results, _ = converted(lambda x: keras.ops.slice_update(X, (0, 0, 0), -X) + x[:5], "onnx", x)
    for (value,) in results:
        np.testing.assert_array_equal(value, x[:5] - X)
