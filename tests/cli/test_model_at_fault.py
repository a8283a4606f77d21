"""A model that is no function, as a person meets it: the build says which layer and line, and so does localise."""

import json

import pytest

from conftest import run_kexport

SOURCE = """
import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("lab")
class Shaky(keras.layers.Layer):
    def call(self, x):
        return x + tf.random.normal(tf.shape(x))


def make():
    x = keras.Input((4,), name="x")
    return keras.Model(x, keras.layers.Dense(2, name="after")(Shaky(name="shaky")(x)))
"""


@pytest.fixture(scope="module")
def rejected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fault")
    (folder / "lab.py").write_text(SOURCE)
    options = ("--formats", "keras,tflite", "--out", "b", "--json", "--keep-going")
    return folder, run_kexport("build", "--model", "lab.py:make", *options, cwd=folder)


def test_the_build_fails_and_names_layer_cause_and_line(rejected):
    folder, built = rejected
    assert built.returncode == 1, built.stdout + built.stderr
    (check,) = [each for each in json.loads(built.stdout)["checks"] if each["kind"] == "model"]
    assert not check["passed"]
    assert check["metrics"]["layer"] == "layer 'shaky' (Shaky)"
    assert "lab.py:9: return x + tf.random.normal" in check["detail"]
    assert str(folder) not in json.dumps(check)


def test_nothing_is_said_of_what_the_goldens_of_such_a_model_see(rejected):
    folder, built = rejected
    assert "adequacy" not in {each["kind"] for each in json.loads(built.stdout)["checks"]}
    assert "adequacy" not in json.loads((folder / "b.rejected" / "manifest.json").read_text())


def test_localise_says_that_the_model_itself_is_at_fault(rejected):
    folder, _ = rejected
    localised = run_kexport("localise", "b.rejected", "--import", "lab.py", cwd=folder)
    assert localised.returncode == 1, localised.stdout + localised.stderr
    assert "the model itself is at fault: layer 'shaky' (Shaky)" in localised.stdout
    assert "after" not in [line.split("'")[1] for line in localised.stdout.splitlines() if "at fault: layer" in line]
