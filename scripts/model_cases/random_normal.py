"""A layer adds TensorFlow's random numbers whether it trains or not."""

import keras
import tensorflow as tf

LAYER, WORDS, OUTCOME = "noise", "random numbers", "failed"


class Noise(keras.layers.Layer):
    def call(self, x):
        return x + 0.1 * tf.random.normal(tf.shape(x))  # at fault


def model():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(6), Noise(name="noise"), keras.layers.Dense(2)])
