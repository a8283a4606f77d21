"""A global variable grows with each call."""

import keras

LAYER, WORDS, OUTCOME = "drift", "state", "failed"


STEPS = 0


class Drift(keras.layers.Layer):
    def call(self, x):
        global STEPS
        STEPS += 1  # at fault
        return x + 0.01 * STEPS


def model():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), Drift(name="drift")])
