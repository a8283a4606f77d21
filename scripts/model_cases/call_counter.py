"""A layer counts its calls and multiplies by the count."""

import keras

LAYER, WORDS, OUTCOME = "scale", "state", "failed"


class Counted(keras.layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.calls = 0

    def call(self, x):
        self.calls += 1  # at fault
        return x * (1.0 + 0.01 * self.calls)


def model():
    return keras.Sequential([keras.Input((4,)), Counted(name="scale"), keras.layers.Dense(2)])
