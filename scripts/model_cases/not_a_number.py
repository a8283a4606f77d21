"""A layer takes the root of negative numbers."""

import keras

LAYER, WORDS, OUTCOME = "root", "NaN", "note"


class Root(keras.layers.Layer):
    def call(self, x):
        return keras.ops.sqrt(x)


def model():
    return keras.Sequential([keras.Input((4,)), Root(name="root"), keras.layers.Dense(2)])
