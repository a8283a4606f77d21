"""A subclassed model computes with NumPy inside a layer."""

import keras
import numpy as np

LAYER, WORDS, OUTCOME = "norm", "NumPy", "error"


class Norm(keras.layers.Layer):
    def call(self, x):
        return x / np.linalg.norm(x)  # at fault


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.norm = Norm(name="norm")
        self.last = keras.layers.Dense(2)

    def call(self, x):
        return self.last(self.norm(x))


def model():
    net = Net()
    net(np.ones((2, 3), "float32"))
    return net
