"""Integers whose steps are too small for a kernel: said with the cause and the way out, not as damage."""

import keras
import numpy as np

import kexport


def test_what_cancels_on_all_of_the_calibration_is_told_as_the_cause(tmp_path):
    x = keras.Input((8, 8, 2), name="x")
    doubled = keras.ops.concatenate([x, x], -1)
    nothing = keras.layers.Conv2D(2, 1, use_bias=False, name="cancels")
    y = keras.layers.Concatenate()([keras.layers.Conv2D(3, 3)(nothing(doubled)), x[:, 1:7, 1:7]])
    nothing.kernel.assign(np.array([1, 0, -1, 0], "float32")[None, None, :, None] * np.ones(2, "float32"))
    bundle = kexport.build(
        keras.Model(x, y), tmp_path / "b", formats=["tflite"], domain={"x": (-1, 1)}, precision="float32,int8"
    )
    (failure,) = [check for check in bundle.report.checks if check.kind == "runtime" and not check.passed]
    assert (failure.artifact, failure.runtime) == ("model.int8.tflite", "litert")
    assert "results that are nearly 0 on all of the calibration" in failure.detail
    assert "leave out this precision" in failure.detail
