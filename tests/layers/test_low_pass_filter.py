from typing import Any

import keras
import numpy as np
import pytest
from scipy.signal import firwin, lfilter

from kexport.testing.closeness import assert_close
from kexport_layers.low_pass_filter import LowPassFilter

SERIES = np.array([[1, 2, 3, 4, 5, 4, 3, 2, 1, 0]], "float32")


def filtered(signal, **settings):
    return np.asarray(LowPassFilter(**settings)(signal))


def test_the_known_series_of_the_moving_average():
    expected = np.array([[1, 2, 3, 4, 13 / 3, 4, 3, 2, 1, 1 / 3]])
    np.testing.assert_array_max_ulp(filtered(SERIES, kernel_size=3), expected.astype("float32"), maxulp=2)


@pytest.mark.parametrize(("padding", "expected"), [
    ("causal", [1 / 3, 1, 2, 3, 4, 13 / 3, 4, 3, 2, 1]),
    ("valid", [2, 3, 4, 13 / 3, 4, 3, 2, 1]),
])  # fmt: skip
def test_padding_decides_where_the_output_starts_and_how_long_it_is(padding, expected):
    layer = LowPassFilter(3, padding=padding)
    result = np.asarray(layer(SERIES))
    assert layer.compute_output_shape(SERIES.shape) == result.shape
    np.testing.assert_array_max_ulp(result, np.array([expected], "float32"), maxulp=2)


def test_channels_and_batches_do_not_mix():
    signal = np.random.default_rng(0).uniform(-5, 5, (3, 20, 4)).astype("float32")
    together = filtered(signal)
    assert together.shape == signal.shape
    for batch in range(3):
        for channel in range(4):
            alone = filtered(signal[batch : batch + 1, :, channel])
            assert_close(together[batch, :, channel], alone[0], scale=5)


@pytest.mark.parametrize("window", ["hamming", "blackman"])
def test_the_windowed_sinc_is_scipys(window):
    signal = np.random.default_rng(0).uniform(-1, 1, (2, 200)).astype("float32")
    taps = firwin(31, 40, fs=360, window=window)
    result = filtered(signal, kernel_size=31, cutoff=40, sample_rate=360, window=window, padding="causal")
    assert_close(result, lfilter(taps, 1.0, signal.astype("float64"), axis=1), scale=1)


def test_a_sine_above_the_cutoff_is_damped_and_one_below_passes():
    time = np.arange(2000) / 1000
    low, high = (np.sin(2 * np.pi * hertz * time)[None].astype("float32") for hertz in (5, 200))
    settings = {"kernel_size": 101, "cutoff": 50, "sample_rate": 1000, "padding": "valid"}
    assert 0.99 < np.abs(filtered(low, **settings)).max() < 1.01
    assert np.abs(filtered(high, **settings)).max() < 0.01


@pytest.mark.parametrize(("settings", "words"), [
    ({"kernel_size": 4}, "odd number"),
    ({"kernel_size": 0}, "odd number"),
    ({"kernel_size": -3}, "odd number"),
    ({"padding": "reflect"}, "same, causal, valid"),
    ({"cutoff": 40}, "needs the sample_rate"),
    ({"sample_rate": 360}, "goes with a cutoff"),
    ({"cutoff": 180, "sample_rate": 360}, "below half the sample rate, 180 Hz"),
    ({"cutoff": 200, "sample_rate": 360}, "below half the sample rate, 180 Hz"),
    ({"cutoff": 40, "sample_rate": 0}, "sample_rate must be a positive"),
    ({"cutoff": 40, "sample_rate": -360}, "sample_rate must be a positive"),
    ({"cutoff": 0, "sample_rate": 360}, "cutoff must be a positive"),
])  # fmt: skip
def test_settings_that_make_no_filter_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        LowPassFilter(**settings)


@pytest.mark.parametrize(("shape", "settings", "words"), [
    ((2, 3, 4, 5), {}, "must be \\(batch, time\\)"),
    ((2,), {}, "must be \\(batch, time\\)"),
    ((2, 3), {"padding": "valid"}, "at least 5 time steps; got 3"),
])  # fmt: skip
def test_inputs_that_cannot_be_filtered_are_refused(shape, settings, words):
    with pytest.raises(ValueError, match=words):
        filtered(np.zeros(shape, "float32"), **settings)


def test_a_saved_model_filters_as_before(tmp_path):
    inputs = keras.Input((None, 2))
    settings: dict[str, Any] = {"cutoff": 40, "sample_rate": 360, "window": "blackman", "padding": "causal"}
    model = keras.Model(inputs, LowPassFilter(31, **settings)(inputs))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    signal = np.random.default_rng(0).normal(size=(2, 50, 2)).astype("float32")
    assert np.array_equal(model(signal), again(signal))
    assert again.layers[-1].get_config() == model.layers[-1].get_config()
