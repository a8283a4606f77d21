import keras
import numpy as np
import pytest
from keras import layers

from kexport.testing.closeness import assert_close


@pytest.mark.parametrize("shared", [None, [1, 2, 3]], ids=["each its own", "shared"])
def test_a_parametric_relu_of_five_axes_is_written(exported, shared):
    video = keras.Input((2, 4, 5, 3))
    slopes = layers.PReLU(shared_axes=shared, alpha_initializer="random_normal")
    model = keras.Model(video, slopes(video))
    x = np.random.default_rng(0).normal(size=(2, 2, 4, 5, 3)).astype("float32")
    results, _ = exported(model, "tflite", x)
    for result in results:
        assert_close(result[0], np.asarray(model(x)))
