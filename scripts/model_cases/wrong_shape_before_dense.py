"""A Dense is built for the shape that a layer wrongly declares."""

import keras

LAYER, WORDS, OUTCOME = "pair", "declares the shape", "error"


class Pair(keras.layers.Layer):
    def call(self, x):
        return keras.ops.concatenate([x, x], axis=-1)

    def compute_output_shape(self, shape):  # at fault
        return shape


def model():
    return keras.Sequential([keras.Input((4,)), Pair(name="pair"), keras.layers.Dense(2)])
