"""A layer asks in Python whether the mean is positive."""

import keras

LAYER, WORDS, OUTCOME = "gate", "branches", "error"


class Gate(keras.layers.Layer):
    def call(self, x):
        if keras.ops.mean(x) > 0:  # at fault
            return x
        return -x

    def compute_output_shape(self, shape):
        return shape


def model():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), Gate(name="gate"), keras.layers.Dense(2)])
