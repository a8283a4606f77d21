"""An LSTM operator beside one whose result is laid out during the call: its states are lost when the batch changes."""

import keras
import numpy as np
import pytest

import kexport


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_an_lstm_beside_zeros_of_the_size_of_the_batch_takes_any_batch_after_another(tmp_path, precision):
    keras.utils.set_random_seed(1)
    x = keras.Input((6, 4), name="x")
    outputs = [keras.layers.GRU(6, unroll=True, name="gru")(x), keras.layers.LSTM(6, name="lstm")(x)]
    samples = {"x": np.random.default_rng(0).uniform(-2, 2, (100, 6, 4)).astype("float32")}
    bundle = kexport.build(
        keras.Model(x, outputs), tmp_path / "b", formats=["tflite"], precision=precision, samples=samples
    )
    assert bundle.passed, [check for check in bundle.report.checks if not check.passed]
    for runtime in ("litert", "litert_reference"):
        with kexport.load(bundle.path, runtime, precision=precision) as model:
            for batch in (50, 3, 1, 50):
                assert model(samples["x"][:batch])["lstm"].shape == (batch, 6)
