"""A layer whose output has no known number of axes, which Keras itself refuses: told with a way out that works."""

import keras
import pytest
import tensorflow as tf

from kexport.factory.trace import explained

GIVEN = keras.Input((8,), name="x", dtype="int32")


def distances(x):
    return tf.edit_distance(tf.sparse.from_dense(x[:, :4]), tf.sparse.from_dense(x[:, 4:]))


def test_it_is_told_and_a_reshape_helps():
    class Distances(keras.layers.Layer):
        def call(self, x):
            return distances(x)

    class Reshaped(keras.layers.Layer):
        def call(self, x):
            return keras.ops.reshape(distances(x), (-1,))

    with pytest.raises(ValueError, match="unknown TensorShape") as raised:
        Distances()(GIVEN)
    got, hint = explained(raised.value).facts("", None)
    assert "how many axes" in got
    assert "keras.ops.reshape" in str(hint)
    assert Reshaped()(GIVEN).shape == (None,)
