"""A layer takes the batch to be 2 where it is unknown."""

import keras

LAYER, WORDS, OUTCOME = "fold", "size", "failed"


class Fold(keras.layers.Layer):
    def call(self, x):
        size = x.shape[0] or 2  # at fault
        return keras.ops.reshape(x, (-1, 4)) / size


def model():
    return keras.Sequential([keras.Input((4,)), Fold(name="fold"), keras.layers.Dense(2)])
