import keras
import numpy as np
import pytest


class Size(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.words = keras.layers.IntegerLookup(vocabulary=[4, 5, 6])

    def call(self, x):
        return self.words(x) + self.words.lookup_table.size()

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, "int64")


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_the_size_is_the_number_of_keys(exported, format_name):
    inputs = keras.Input((2,), dtype="int64", name="x")
    results, _ = exported(keras.Model(inputs, Size()(inputs)), format_name, np.array([[4, 9]]))
    for (value,) in results:
        np.testing.assert_array_equal(value, [[4, 3]])
