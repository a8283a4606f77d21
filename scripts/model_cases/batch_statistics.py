"""A layer calls its batch normalisation with training=True."""

import keras

LAYER, WORDS, OUTCOME = "block", "neighbours", "note"


class Block(keras.layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.norm = keras.layers.BatchNormalization(trainable=True)

    def build(self, shape):
        self.norm.build(shape)

    def call(self, x):
        y = (x - keras.ops.mean(x, axis=0)) / (1.0 + keras.ops.std(x, axis=0))  # at fault
        return self.norm(y)


def model():
    return keras.Sequential([keras.Input((4,)), Block(name="block"), keras.layers.Dense(2)])
