"""A layer loses the mask that an LSTM behind it would take."""

import keras

LAYER, WORDS, OUTCOME = "shift", "mask", "note"


class Shift(keras.layers.Layer):
    def call(self, x):
        return x + 1.0


def model():
    layers = [
        keras.Input((6,), dtype="int32"),
        keras.layers.Embedding(10, 4, mask_zero=True),
        Shift(name="shift"),
        keras.layers.LSTM(3),
    ]
    return keras.Sequential(layers)
