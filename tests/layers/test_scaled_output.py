import keras
import numpy as np
import pytest

from kexport_layers.scaled_output import ScaledOutput

X = np.arange(12, dtype="float32").reshape(2, 2, 3)


@pytest.mark.parametrize("scale", [2, -0.5, 0.0, [1.0, -2.0, 0.5]])
def test_the_output_is_the_scaled_input_in_its_shape_and_dtype(scale):
    result = np.asarray(ScaledOutput(scale)(X))
    assert result.dtype == X.dtype
    assert np.array_equal(result, X * np.asarray(scale, "float32"))


@pytest.mark.parametrize("scale", [float("nan"), float("inf"), [1.0, float("nan")], []])
def test_a_scale_that_is_no_finite_number_is_refused(scale):
    with pytest.raises(ValueError, match="one finite number, or one per channel"):
        ScaledOutput(scale)


def test_as_many_scales_as_channels_are_needed():
    with pytest.raises(ValueError, match="2 scales need an input of 2 channels"):
        ScaledOutput([1.0, 2.0])(X)


def test_a_saved_model_scales_as_before(tmp_path):
    inputs = keras.Input((None, 3))
    keras.Model(inputs, ScaledOutput([1.0, -2.0, 0.5])(inputs)).save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert np.array_equal(again(X), X * np.array([1.0, -2.0, 0.5], "float32"))
