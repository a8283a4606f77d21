import keras
import numpy as np

from kexport.factory.trace.program import trace


def test_images_of_any_size_are_resized_as_eagerly():
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.RandomCrop(4, 5)])
    x = np.random.default_rng(0).normal(size=(2, 9, 7, 3)).astype("float32")
    np.testing.assert_array_equal(trace(model).core(keras.ops.array(x))[0], model(x, training=False))
