"""A softmax runs over the samples."""

import keras

LAYER, WORDS, OUTCOME = "weights", "neighbours", "note"


class Weights(keras.layers.Layer):
    def call(self, x):
        return keras.ops.softmax(x, axis=0)  # at fault


def model():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), Weights(name="weights")])
