import numpy as np
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

X = np.random.default_rng(0).normal(size=(3, 1, 4)).astype("float32")


def test_the_square_of_a_transpose_that_only_moves_an_axis_of_one_is_right(converted):
    def lengths(x):
        columns = tf.transpose(x, [0, 2, 1])
        return tf.reduce_sum(columns * columns, 1), tf.reduce_sum(tf.square(columns), 2)

    (total, single), *_ = converted(lengths, "onnx", X)[0]
    assert_close(total, (X**2).sum(2), scale=EACH)
    assert_close(single, (X**2)[:, 0], scale=EACH)
