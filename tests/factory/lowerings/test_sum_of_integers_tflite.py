"""Sums in integers, of which LiteRT's kernels scale the result wrongly: those of reference alone in int8."""

import keras
import numpy as np
import pytest

import kexport


@pytest.mark.parametrize(("precision", "budget"), [("int16x8", "sqnr=30dB"), ("int8", "sqnr=25dB")])
def test_sums_of_integers_are_right(tmp_path, precision, budget):
    keras.utils.set_random_seed(1)
    x = keras.Input((6, 5, 4), name="x")
    y = keras.layers.Dense(4)(x)
    outputs = {"all": keras.ops.sum(y, (1, 2)), "one": keras.ops.sum(y, -1, keepdims=True)}
    samples = {"x": np.random.default_rng(0).uniform(-1, 1, (200, 6, 5, 4)).astype("float32")}
    built = kexport.build(
        keras.Model(x, outputs), tmp_path / "b", formats=["tflite"], precision=precision, samples=samples,
        budget=budget,
    )  # fmt: skip
    assert built.passed, [check for check in built.report.checks if not check.passed]
