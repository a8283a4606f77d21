"""Scans of known and unknown length, in layers that go on with the result, in each runtime and from one element on."""

import keras
import numpy as np
import pytest
from keras import ops

from kexport.testing.closeness import assert_close


class Scan(keras.layers.Layer):
    """A scan along the second axis, which does not know what shape the results have in the graph."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return ops.transpose(self.function(x), (1, 0, 2))

    def compute_output_shape(self, shape):
        return (shape[1], shape[0], shape[2])


def _recurrence(earlier, later):
    return earlier[0] * later[0], later[0] * earlier[1] + later[1]


SCANS = {
    "sums": lambda x: ops.associative_scan(ops.add, x, axis=1),
    "from the end": lambda x: ops.associative_scan(ops.add, x, reverse=True, axis=-2),
    "maxima": lambda x: ops.associative_scan(ops.maximum, x, axis=1),
    "a linear recurrence": lambda x: ops.associative_scan(_recurrence, (ops.sigmoid(x), x), axis=1)[1],
}


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("length", [None, 7])
@pytest.mark.parametrize("scan", SCANS)
def test_a_layer_goes_on_with_a_scan_of_any_length(exported, format_name, length, scan):
    x = keras.Input((length, 3), 2, name="x")
    model = keras.Model(x, Scan(SCANS[scan])(x))
    for steps in (length,) if length else (1, 2, 7, 12):
        values = np.random.default_rng(steps).normal(size=(2, steps, 3)).astype("float32")
        results, _ = exported(model, format_name, values)
        for (found,) in results:
            assert_close(found, np.asarray(model(values, training=False)), ulps=8)
