import numpy as np
import pytest
import tensorflow as tf
from test_tensor_list_tflite import X


def two_lists(x):
    """A loop that writes two lists, one from its end: a shape that tf2onnx has no pattern for."""
    steps = tf.shape(x)[1]
    given = tf.TensorArray(x.dtype, steps).unstack(tf.transpose(x, [1, 0, 2]))

    def body(index, total, sums, products):
        item = given.read(index)
        return index + 1, total + item, sums.write(steps - 1 - index, total), products.write(index, total * item)

    lists = [tf.TensorArray(x.dtype, steps) for _ in range(2)]
    _, _, *lists = tf.while_loop(lambda index, *_: index < steps, body, (0, tf.zeros_like(x[:, 0]), *lists))
    return [made.stack() for made in lists]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_a_loop_that_fits_no_pattern_is_exact(converted, dtype):
    x = np.round(8 * X).astype(dtype)
    before = np.cumsum(x, 1, dtype=dtype) - x
    results, operators = converted(two_lists, "onnx", x, dynamic=True)
    assert "Loop" in operators
    for sums, products in results:
        np.testing.assert_array_equal(sums, before.swapaxes(0, 1)[::-1])
        np.testing.assert_array_equal(products, (before * x).swapaxes(0, 1))
