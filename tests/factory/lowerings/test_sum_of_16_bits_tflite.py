"""Sums in int16x8, of which LiteRT's kernels scale the result wrongly."""

import keras
import numpy as np

import kexport


def test_sums_of_16_bits_are_right(tmp_path):
    keras.utils.set_random_seed(1)
    x = keras.Input((6, 5, 4), name="x")
    y = keras.layers.Dense(4)(x)
    outputs = {"all": keras.ops.sum(y, (1, 2)), "one": keras.ops.sum(y, -1, keepdims=True)}
    samples = {"x": np.random.default_rng(0).uniform(-1, 1, (200, 6, 5, 4)).astype("float32")}
    built = kexport.build(
        keras.Model(x, outputs), tmp_path / "b", formats=["tflite"], precision="int16x8", samples=samples,
        budget="sqnr=30dB",
    )  # fmt: skip
    assert built.passed, [check for check in built.report.checks if not check.passed]
