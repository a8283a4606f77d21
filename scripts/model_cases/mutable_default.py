"""A list that is a default argument grows from call to call."""

import keras

LAYER, WORDS, OUTCOME = "memory", "state", "failed"


class Memory(keras.layers.Layer):
    def call(self, x, seen=[]):  # noqa: B006  that is the fault
        seen.append(1.0)  # at fault
        return x + 0.1 * len(seen)


def model():
    return keras.Sequential([keras.Input((4,)), Memory(name="memory"), keras.layers.Dense(2)])
