"""A layer keeps the mean of its first input."""

import keras

LAYER, WORDS, OUTCOME = "reference", "keeps", "error"


class Reference(keras.layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.mean = None

    def call(self, x):
        if self.mean is None:
            self.mean = keras.ops.mean(x)
        return x - self.mean  # at fault


def model():
    return keras.Sequential([keras.Input((4,)), Reference(name="reference"), keras.layers.Dense(2)])
