"""A layer calls its dropout with training=True."""

import keras

LAYER, WORDS, OUTCOME = "block", "training", "failed"


class Block(keras.layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.drop = keras.layers.Dropout(0.5)

    def call(self, x):
        return self.drop(x, training=True)  # at fault


def model():
    return keras.Sequential([keras.Input((40,)), Block(name="block"), keras.layers.Dense(2)])
