"""A layer subtracts the mean of the batch."""

import keras

LAYER, WORDS, OUTCOME = "centre", "neighbours", "note"


class Centre(keras.layers.Layer):
    def call(self, x):
        mean = keras.ops.mean(x, axis=0, keepdims=True)  # at fault
        return x - mean


def model():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), Centre(name="centre"), keras.layers.Dense(2)])
