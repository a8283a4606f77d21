"""A layer reshapes to a batch of two."""

import keras

LAYER, WORDS, OUTCOME = "rows", "size", "error"


class Rows(keras.layers.Layer):
    def call(self, x):
        return keras.ops.reshape(keras.ops.reshape(x, (2, 2, 2)), (2, 4))  # at fault

    def compute_output_shape(self, shape):
        return shape


def model():
    return keras.Sequential([keras.Input((4,)), Rows(name="rows"), keras.layers.Dense(2)])
