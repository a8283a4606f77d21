"""What is always 0 in int16x8, which TensorFlow's quantiser gives a scale of 0; and loops, which it has no way with."""

import keras
import numpy as np
import pytest

import kexport
from kexport.errors import ExportError

BUDGET = "sqnr=36dB"


def recurrent(layer, **options):
    x = keras.Input((5, 4), name="x")
    return keras.Model(x, keras.layers.Dense(3, name="y")(layer(6, name="memory", **options)(x)))


def silent(x):
    return x + keras.ops.relu(x * np.zeros(4, "float32"))


def built(model, folder, **options):
    return kexport.build(model, folder, formats=["tflite"], precision="int16x8", domain={"x": (-1, 1)}, **options)


@pytest.mark.parametrize("layer", [keras.layers.SimpleRNN, keras.layers.GRU, keras.layers.LSTM])
def test_a_recurrent_layer_without_a_loop_starts_at_zero(tmp_path, layer):
    keras.utils.set_random_seed(0)
    bundle = built(recurrent(layer, unroll=True), tmp_path / "b", budget=BUDGET)
    assert bundle.passed, [check for check in bundle.report.checks if not check.passed]


def test_zeros_stay_zeros(tmp_path):
    keras.utils.set_random_seed(0)
    x = keras.Input((4,), name="x")
    model = keras.Model(x, keras.layers.Dense(3, name="y")(silent(x)))
    bundle = built(model, tmp_path / "b", budget=BUDGET)
    assert bundle.passed, [check for check in bundle.report.checks if not check.passed]


@pytest.mark.parametrize("layer", [keras.layers.GRU, keras.layers.LSTM])
def test_a_loop_is_refused_with_its_layer_and_what_has_none(tmp_path, layer):
    with pytest.raises(ExportError, match=r"a loop of layer 'memory'[\s\S]*unroll=True"):
        built(recurrent(layer), tmp_path / "b")
