"""A nested layer draws with Python's own generator."""

import random

import keras

LAYER, WORDS, OUTCOME = "block/flip", "random numbers", "failed"


class Flip(keras.layers.Layer):
    def call(self, x):
        return x * random.choice([-1.0, 0.5, 1.0, 2.0, 3.0, 7.0, 9.0])  # at fault


class Block(keras.layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.dense = keras.layers.Dense(4)
        self.flip = Flip(name="flip")

    def build(self, shape):
        self.dense.build(shape)

    def call(self, x):
        return self.flip(self.dense(x))


def model():
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(2)(Block(name="block")(inputs)))
