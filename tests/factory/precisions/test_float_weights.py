"""Weights that a file of 8-bit weights keeps in float: told with their layers, as they are in the file."""

import keras
import pytest

import kexport
from conftest import run_kexport


@pytest.fixture(scope="module")
def dynamic(tmp_path_factory):
    """Two dense layers, of more and of fewer numbers than are worth a step."""
    keras.utils.set_random_seed(0)
    x = keras.Input((40,), name="x")
    wide = keras.layers.Dense(30, activation="relu", name="wide")(x)
    model = keras.Model(x, keras.layers.Dense(1, name="narrow")(wide))
    return kexport.build(
        model, tmp_path_factory.mktemp("d") / "b", formats=["tflite", "onnx"], precision="dynamic,float16"
    )


def test_the_report_names_the_layers_whose_weights_stayed_in_float(dynamic):
    assert dynamic.passed
    (note,) = [str(note) for note in dynamic.report.notes if "keeps weights in float" in str(note)]
    assert note == "model.dynamic.tflite keeps weights in float: FULLY_CONNECTED of layer 'narrow' (Dense) (30 numbers)"
    by_path = {each.path: each.float_weights for each in dynamic.manifest.artifacts}
    assert by_path["model.dynamic.tflite"] == (("FULLY_CONNECTED", "layer 'narrow' (Dense)", 30),)
    assert by_path["model.dynamic.onnx"] == ()
    assert by_path["model.float16.tflite"] is by_path["model.tflite"] is None


def test_inspect_shows_them(dynamic, tmp_path):
    done = run_kexport("inspect", dynamic.path, cwd=tmp_path)
    assert "FULLY_CONNECTED of layer 'narrow' (Dense) (30 numbers)" in " ".join(done.stdout.split())
