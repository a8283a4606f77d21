import numpy as np
import pytest
import tensorflow as tf

X = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32")


@pytest.mark.parametrize("k", [-2, 0, 1])
def test_matrices_are_those_of_tensorflow(converted, k):
    length = tf.linalg.diag_part(X, k=k).shape[-1]
    values = np.arange(3 * length, dtype="float32").reshape(3, length)
    results, _ = converted(lambda x, y: tf.linalg.set_diag(x, y, k=k), "onnx", X, values)
    for (value,) in results:
        np.testing.assert_array_equal(value, tf.linalg.set_diag(X, values, k=k))
