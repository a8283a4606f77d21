"""Means of what may be empty: no number in ONNX too."""

import keras
import numpy as np
import onnx

import kexport


def built(folder, body):
    x = keras.Input((None, 2), name="x")
    return kexport.build(keras.Model(x, body(x)), folder, formats=["onnx"], domain={"x": (-1, 1)})


def test_the_mean_of_differences_of_one_step_is_no_number(tmp_path):
    def body(x):
        return keras.layers.Dense(3, name="y")(keras.layers.GlobalAveragePooling1D()(keras.ops.diff(x, axis=1)))

    bundle = built(tmp_path / "b", body)
    assert bundle.passed, [check for check in bundle.report.checks if not check.passed]
    model = kexport.load(bundle.path)
    assert np.isnan(model(np.ones((2, 1, 2), "float32"))).all()
    assert np.isfinite(model(np.ones((2, 3, 2), "float32"))).all()


def test_a_mean_of_all_of_an_input_stays_one_operator(tmp_path):
    bundle = built(tmp_path / "b", lambda x: keras.layers.GlobalAveragePooling1D(name="y")(x))
    kinds = [node.op_type for node in onnx.load(bundle.path / "model.onnx").graph.node]
    assert "Where" not in kinds
    assert "ReduceMean" in kinds
