"""A layer makes a number of a tensor and branches on it."""

import keras

LAYER, WORDS, OUTCOME = "gate", "branches", "error"


class Gate(keras.layers.Layer):
    def call(self, x):
        if float(x[0, 0]) > 0:  # at fault
            return 2 * x
        return x

    def compute_output_shape(self, shape):
        return shape


def model():
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(2)(Gate(name="gate")(inputs)))
