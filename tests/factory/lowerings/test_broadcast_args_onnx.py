import numpy as np
import tensorflow as tf


def test_two_shapes_give_the_one_that_numpy_broadcasts_to(converted):
    x, y = np.zeros((3, 1, 5), "float32"), np.zeros((4, 1), "float32")

    def shape(x, y):
        return tf.broadcast_to(x, tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(y)))

    results, _ = converted(shape, "onnx", x, y, dynamic=True)
    for (value,) in results:
        assert value.shape == np.broadcast_shapes(x.shape, y.shape)
