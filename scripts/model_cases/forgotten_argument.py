"""A layer's get_config leaves an argument out."""

import keras

LAYER, WORDS, OUTCOME = "gain", "get_config", "note"


@keras.saving.register_keras_serializable("model_cases")
class Gain(keras.layers.Layer):
    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):  # at fault
        return super().get_config()


def model():
    return keras.Sequential([keras.Input((4,)), Gain(3.0, name="gain"), keras.layers.Dense(2)])
