import keras
import numpy as np
import pytest
from keras import layers

from kexport.testing.closeness import assert_close


@pytest.mark.parametrize("layer", [layers.Conv2D, layers.Conv2DTranspose])
def test_a_bias_is_added_along_the_axis_that_keras_adds_it_along(exported, layer):
    image = keras.Input((9, 6, 4))
    model = keras.Model(
        image, layer(4, 3, padding="same", data_format="channels_first", bias_initializer="normal")(image)
    )
    x = np.random.default_rng(0).normal(size=(2, 9, 6, 4)).astype("float32")
    results, _ = exported(model, "onnx", x)
    for (value,) in results:
        assert_close(value, np.asarray(model(x)), ulps=64)
