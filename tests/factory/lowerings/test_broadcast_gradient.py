"""Gradients of what was broadcast, in both formats."""

import tensorflow as tf
from _gradients import FORMATS, IMAGE, right


@FORMATS
def test_through_rows_and_channels_that_are_broadcast(converted, format_name):
    def net(x):
        product = tf.sin(x) * x[:, :1, :, :] + tf.reduce_sum(x, -1, keepdims=True)
        return tf.reduce_mean(tf.sqrt(1 + product * product), (1, 2))

    right(converted, format_name, net, IMAGE)
