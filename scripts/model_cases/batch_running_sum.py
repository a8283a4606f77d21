"""A sum runs along the batch."""

import keras

LAYER, WORDS, OUTCOME = "sums", "neighbours", "note"


class Sums(keras.layers.Layer):
    def call(self, x):
        return keras.ops.cumsum(x, axis=0)  # at fault


def model():
    return keras.Sequential([keras.Input((4,)), Sums(name="sums"), keras.layers.Dense(2)])
