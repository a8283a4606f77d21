import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(5)
X, Y = (RANDOM.normal(size=shape).astype("float32") for shape in ((3, 4), (4, 5)))

CLIPS = {
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "a reshape between": lambda product: tf.nn.relu(tf.reshape(product, [15])),
    "clip": lambda product: tf.clip_by_value(product, -1.0, 1.0),
    "two halves": lambda product: tf.minimum(tf.maximum(product, -1.0), 1.0),
}


@pytest.mark.parametrize("clip", CLIPS.values(), ids=CLIPS)
@pytest.mark.parametrize("flipped", [False, True])
def test_what_is_clipped_behind_a_product_of_two_inputs_stays_clipped(converted, clip, flipped):
    def serve(x, y):
        x, y = tf.ensure_shape(x, X.shape), tf.ensure_shape(y, Y.shape)
        return clip(tf.matmul(tf.transpose(x), tf.transpose(y), True, True) if flipped else x @ y)

    results, _ = converted(serve, "tflite", X, Y)
    for (value,) in results:
        assert_close(value, clip(tf.constant(X.astype("float64") @ Y)).numpy())


class Either(layers.Layer):
    """One of two dense layers, whose weights TFLite hands to the branch."""

    def __init__(self):
        super().__init__()
        self.one, self.other = layers.Dense(3, use_bias=False, activation="relu"), layers.Dense(3)

    def build(self, shape):
        self.one.build(shape)
        self.other.build(shape)

    def call(self, x):
        return ops.cond(ops.sum(x) > 0, lambda: self.one(x), lambda: self.other(x))


def test_a_dense_layer_in_a_branch_keeps_its_activation(exported):
    keras.utils.set_random_seed(2)
    x = keras.Input((4,), batch_size=3)
    model = keras.Model(x, Either()(x))
    for sign in (1.0, -1.0):
        given = X - X.mean() + np.float32(0.1 * sign)
        results, _ = exported(model, "tflite", given)
        for result in results:
            assert_close(result[0], np.asarray(model(given)))
