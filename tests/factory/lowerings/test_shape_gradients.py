"""Gradients of what was concatenated and cut, in both formats."""

import tensorflow as tf
from _gradients import FORMATS, IMAGE, right


@FORMATS
def test_through_branches_that_are_concatenated(converted, format_name):
    def net(x):
        both = tf.concat([x, tf.sin(x[:, 1:-1, :, :])], 1)
        return tf.reduce_mean(tf.sqrt(1 + both * both), (1, 2))

    right(converted, format_name, net, IMAGE)
