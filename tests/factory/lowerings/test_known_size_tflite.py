import numpy as np
import pytest
import tensorflow as tf

X = np.arange(60, dtype="float32").reshape(3, 4, 5)


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1)])
def test_the_axis_that_a_reshape_infers_is_known_whatever_the_batch(converted, order):
    def folded(x):
        flat = tf.reshape(tf.transpose(x, order), tf.concat([tf.gather(tf.shape(x), [0]), [2, -1]], 0))
        # Were the size unknown, this product in float64 would be refused.
        return [flat, tf.cast(tf.cast(tf.shape(flat)[2], "float64") * 0.3, "float32")]

    results, _ = converted(folded, "tflite", X)
    for flat, product in results:
        np.testing.assert_array_equal(flat, np.transpose(X, order).reshape(3, 2, -1))
        assert product == np.float32(3)


def test_sizes_that_differ_do_not_cancel(converted):
    def folded(x, y):
        return tf.shape(tf.reshape(x, tf.stack([tf.shape(y)[0], -1])))[1]

    results, _ = converted(folded, "tflite", X, np.zeros(6, "float32"))
    for (size,) in results:
        assert size == 10
