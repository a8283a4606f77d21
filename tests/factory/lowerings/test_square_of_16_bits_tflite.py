"""Squares of differences in int16x8, for which LiteRT has no kernel."""

import keras
import numpy as np

import kexport


def test_layer_normalisation_runs_in_16_bits(tmp_path):
    keras.utils.set_random_seed(1)
    x = keras.Input((12,), name="x")
    model = keras.Model(x, keras.layers.LayerNormalization(name="y")(keras.layers.Dense(8)(x)))
    samples = {"x": np.random.default_rng(0).uniform(-1, 1, (200, 12)).astype("float32")}
    built = kexport.build(model, tmp_path / "b", formats=["tflite"], precision="int16x8", samples=samples)
    assert built.passed, [check for check in built.report.checks if not check.passed]
