import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

CASES = {
    "take": lambda x: ops.take(x, [2, 0], axis=1),
    "take from the end": lambda x: ops.take(x, [[1, 0], [0, 1]], axis=-1),
    "take one": lambda x: ops.take(x, 1, axis=2),
    "take along an axis": lambda x: ops.take_along_axis(x, ops.argsort(x, axis=1), axis=1),
    "in batches": lambda x: tf.gather(x, tf.argsort(x[:, :, 0]), batch_dims=1),
}


class Own(keras.layers.Layer):
    def __init__(self, function):
        super().__init__(name="mine")
        self.function = function

    def call(self, x):
        return self.function(x)


@pytest.mark.parametrize("dtype", ["float64", "uint32", "uint16"])
@pytest.mark.parametrize("case", CASES)
def test_what_was_cast_is_gathered(exported, case, dtype):
    x = keras.Input((3, 4), dtype=dtype, name="x")
    model = keras.Model(x, Own(lambda x: CASES[case](ops.cast(x, "float32")))(x))
    data = np.random.default_rng(1).integers(0, 50, (2, 3, 4)).astype(dtype)
    for (value,) in exported(model, "tflite", data)[0]:
        np.testing.assert_array_equal(value, np.asarray(CASES[case](ops.cast(data, "float32"))))
