"""A layer iterates in Python over an axis of unknown size."""

import keras

LAYER, WORDS, OUTCOME = "steps", "loops", "error"


class Steps(keras.layers.Layer):
    def call(self, x):
        total = 0.0
        for row in x:  # at fault
            total = total + keras.ops.sum(row)
        return x * total

    def compute_output_shape(self, shape):
        return shape


def model():
    return keras.Sequential([keras.Input((4,)), Steps(name="steps"), keras.layers.Dense(2)])
