"""A layer draws with NumPy, which a trace keeps as a constant."""

import keras
import numpy as np

LAYER, WORDS, OUTCOME = "jitter", "NumPy", "failed"


class Jitter(keras.layers.Layer):
    def call(self, x):
        shift = np.random.standard_normal(4).astype("float32")  # at fault
        return x + shift


def model():
    return keras.Sequential([keras.Input((4,)), Jitter(name="jitter"), keras.layers.Dense(2)])
