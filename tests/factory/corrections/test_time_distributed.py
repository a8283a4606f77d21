import keras
import numpy as np
import pytest

from kexport.testing.closeness import assert_close


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize(
    ("layer", "shape", "given"),
    [
        (keras.layers.GRU(2), (None, None, 4), (3, 5, 6, 4)),
        (keras.layers.Conv1D(2, 3, padding="same"), (None, None, 4), (2, 4, 7, 4)),
        (keras.layers.Dense(2), (None, None, 5, 4), (2, 3, 4, 5, 4)),
    ],
)
def test_steps_may_have_sizes_that_are_not_fixed(exported, format_name, layer, shape, given):
    x = keras.Input(shape)
    model = keras.Model(x, keras.layers.TimeDistributed(layer)(x))
    array = np.random.default_rng(0).normal(size=given).astype("float32")
    results, _ = exported(model, format_name, array)
    assert results
    for (value,) in results:
        assert_close(value, model(array).numpy(), ulps=16)
