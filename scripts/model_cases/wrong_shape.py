"""A layer declares another shape than it returns."""

import keras

LAYER, WORDS, OUTCOME = "pair", "declares the shape", "note"


class Pair(keras.layers.Layer):
    def call(self, x):
        return keras.ops.concatenate([x, x], axis=-1)

    def compute_output_shape(self, shape):  # at fault
        return shape


def model():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), Pair(name="pair")])
