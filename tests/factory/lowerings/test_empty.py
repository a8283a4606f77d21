import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).normal(size=(3, 6, 5)).astype("float32")


def loss(x):
    """Of two labels in six steps; TensorFlow fills tables that it makes empty, one of them from the end."""
    labels = tf.constant([[1, 1], [2, 3], [4, 1]])
    return ops.ctc_loss(labels, x, tf.constant([2, 1, 2]), tf.constant([6, 6, 4]))


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_the_loss_of_connectionist_temporal_classification_is_written(converted, format_name):
    results, _ = converted(loss, format_name, X)
    for (value,) in results:
        assert_close(value, loss(tf.constant(X)).numpy(), ulps=8)


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_empty_memory_is_of_its_shape(converted, format_name):
    def behind(x):
        return tf.concat([x[:, :1], tf.raw_ops.Empty(shape=tf.shape(x), dtype=tf.float32) * 0], 1)

    for (value,) in converted(behind, format_name, X)[0]:
        np.testing.assert_array_equal(value, np.concatenate([X[:, :1], np.zeros_like(X)], 1))
