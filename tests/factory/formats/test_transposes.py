import numpy as np
import tensorflow as tf

X = np.random.default_rng(0).normal(size=(3, 1, 4)).astype("float32")


def test_the_square_of_a_transpose_that_only_moves_an_axis_of_one_is_right(converted):
    def lengths(x):
        columns = tf.transpose(x, [0, 2, 1])
        return tf.reduce_sum(columns * columns, 1), tf.reduce_sum(tf.square(columns), 2)

    (total, single), *_ = converted(lengths, "onnx", X)[0]
    np.testing.assert_allclose(total, (X**2).sum(2), rtol=1e-6)
    np.testing.assert_allclose(single, (X**2)[:, 0], rtol=1e-6)
