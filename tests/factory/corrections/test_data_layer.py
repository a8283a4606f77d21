import keras
import numpy as np
import pytest

from kexport.factory.trace.program import trace


@pytest.mark.parametrize(
    "layer",
    [keras.layers.Resizing(3, 4), keras.layers.CenterCrop(3, 3), keras.layers.Rescaling(1 / 255)],
    ids=lambda layer: layer.name,
)
def test_bytes_are_taken_as_they_are_eagerly(layer):
    model = keras.Sequential([keras.Input((6, 5, 3), dtype="uint8"), layer])
    x = np.random.default_rng(0).integers(0, 256, (2, 6, 5, 3)).astype("uint8")
    eager, (traced,) = model(x, training=False), trace(model).core(keras.ops.array(x))
    assert eager.dtype == traced.dtype
    np.testing.assert_array_equal(traced, eager)
