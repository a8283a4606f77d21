import keras
import numpy as np
import pytest

from kexport.factory.trace.program import trace


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "lanczos3"])
def test_images_of_any_size_are_enlarged_as_eagerly(layout, method):
    shape = (3, None, None) if layout == "channels_first" else (None, None, 3)
    layer = keras.layers.UpSampling2D((2, 3), data_format=layout, interpolation=method)
    model = keras.Sequential([keras.Input(shape), layer])
    x = np.random.default_rng(0).normal(size=(2, *(size or 5 for size in shape))).astype("float32")
    np.testing.assert_array_equal(trace(model).core(keras.ops.array(x))[0], model(x, training=False))
