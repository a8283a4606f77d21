import numpy as np
import pytest
import tensorflow as tf

X = np.arange(60, dtype="float32").reshape(3, 4, 5)


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("k", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_a_diagonal_is_taken_and_put_back(converted, dtype, k, dynamic):
    x = (X % 7).astype(dtype)
    diagonal = np.diagonal(x, k, 1, 2)
    put = np.stack([np.diag(row, k) for row in diagonal])
    changed = np.where(np.eye(4, 5, k) > 0, ~x if dtype == "bool" else -x, x)
    results, _ = converted(
        lambda x, values, new: [
            tf.linalg.diag_part(x, k=k), tf.linalg.diag(values, k=k), tf.linalg.set_diag(x, new, k=k)
        ],
        "tflite", x, diagonal, ~diagonal if dtype == "bool" else -diagonal, dynamic=dynamic,
    )  # fmt: skip
    for values in results:
        for value, truth in zip(values, [diagonal, put, changed], strict=True):
            np.testing.assert_array_equal(value, truth)
