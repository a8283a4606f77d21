import keras
import numpy as np
import pytest

from kexport.factory.trace.program import trace


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_zeros_around_volumes_are_not_merged_into_a_convolution_that_pads_itself(padding):
    rest = [keras.layers.ZeroPadding3D((1, 0, 2)), keras.layers.Conv3D(3, 3, padding=padding)]
    model = keras.Sequential([keras.Input((4, 5, 6, 2)), *rest])
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 6, 2)).astype("float32")
    (traced,) = trace(model).core(keras.ops.array(x))
    eager = model(x, training=False)
    assert traced.shape == eager.shape == model.compute_output_shape(x.shape)
    np.testing.assert_array_equal(traced, eager)
