"""A layer adds the time of day."""

import time

import keras

LAYER, WORDS, OUTCOME = "clock", "clock", "failed"


class Clock(keras.layers.Layer):
    def call(self, x):
        now = time.time() % 1.0  # at fault
        return x + now


def model():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), Clock(name="clock")])
