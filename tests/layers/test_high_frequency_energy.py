import keras
import numpy as np
import pytest

from kexport.testing.closeness import assert_close
from kexport_layers.high_frequency_energy import HighFrequencyEnergy


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_the_energy_of_a_half_is_summed_in_float32(half):
    signal = np.random.default_rng(0).normal(size=(512, 64)) * 4
    narrow = keras.ops.convert_to_tensor(signal, dtype=half)
    energy = HighFrequencyEnergy(0.1, strength=1.0)
    found = energy(narrow)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    assert np.asarray(found) > 65504, "the largest of float16"
    assert_close(np.asarray(found), np.asarray(energy(keras.ops.cast(narrow, "float32"))))
