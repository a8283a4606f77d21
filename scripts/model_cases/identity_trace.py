"""A layer does its work only where it runs eagerly."""

import keras
import tensorflow as tf

LAYER, WORDS, OUTCOME = "standardise", "eagerly", "failed"


class Standardise(keras.layers.Layer):
    def call(self, x):
        if not tf.executing_eagerly():  # at fault
            return x
        return (x - 3.0) / 2.0


def model():
    return keras.Sequential([keras.Input((4,)), Standardise(name="standardise"), keras.layers.Dense(2)])
