"""A layer makes a variable in every call."""

import keras
import tensorflow as tf

LAYER, WORDS, OUTCOME = "lazy", "inside `call`", "error"


class Lazy(keras.layers.Layer):
    def call(self, x):
        scale = tf.Variable(2.0)  # at fault
        return x * scale

    def compute_output_shape(self, shape):
        return shape


def model():
    return keras.Sequential([keras.Input((4,)), Lazy(name="lazy"), keras.layers.Dense(2)])
