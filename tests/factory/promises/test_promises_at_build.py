"""Promises from layers and people, collected, checked and kept by a build."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

import kexport
from conftest import ROOT
from kexport.bundle import counterexamples
from kexport.contracts import Bounded, Monotonic, Sparse, WeightNorm
from kexport.errors import UsageError
from kexport.factory.promises import statements


def model_of(layer, name="m"):
    import keras

    x = keras.Input((4,), name="x")
    return keras.Model(x, layer(x), name=name)


def contracts_of(bundle):
    return [(each.kind, each.inputs, each.outputs, each.layer) for each in bundle.manifest.contracts]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("bounded(0, 1)", [("", Bounded(0, 1))]),
        ([Bounded(0, 1), "x->y=monotonic(1)"], [("", Bounded(0, 1)), ("x->y", Monotonic(1))]),
        ({"y": "bounded(low=0)", "hidden": [Sparse(0.5)]}, [("y", Bounded(0)), ("hidden", Sparse(0.5))]),
        ((), []),
    ],
)
def test_a_person_states_promises_in_several_ways(given, expected):
    assert [(each.about, each.contract) for each in statements(given)] == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("bonded(0, 1)", "bounded"),
        ("bounded(0, 1", "unreadable contract"),
        ("bounded(1, 0)", "needs bounds"),
        ("bounded(height=3)", "does not take these parameters"),
        ([3], "is not a contract"),
    ],
)
def test_what_is_no_promise_is_refused_before_tensorflow_is_imported(given, message, tmp_path):
    code = (
        "import sys, kexport\n"
        f"try: kexport.build('lowpass', {str(tmp_path / 'out')!r}, contracts={given!r})\n"
        "except kexport.KexportError as error: print(error)\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env={**os.environ})
    assert message in done.stdout, done.stderr
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A bundle of a model whose layer and whose builder promise something, all of it kept."""
    import keras

    @keras.saving.register_keras_serializable(package="promises")
    class Thin(keras.layers.Dense):
        def contracts(self):
            return [Sparse(0.5, weights="kernel")]

    kernel = np.zeros((4, 2), "float32")
    kernel[0] = 0.5
    layer = Thin(2, activation="sigmoid", name="y")
    model = model_of(layer)
    layer.set_weights([kernel, np.zeros(2, "float32")])
    promises = ["y=bounded(0, 1)", "x->y=monotonic(1)", "y=weight_norm(0.75)"]
    return kexport.build(model, tmp_path_factory.mktemp("kept") / "m", formats=["onnx"], contracts=promises)


def test_what_is_kept_passes_and_stands_in_the_manifest(kept):
    assert kept.passed
    assert contracts_of(kept) == [
        ("sparse", (), (), "y"),
        ("weight_norm", (), (), "y"),
        ("bounded", (), ("y",), ""),
        ("monotonic", ("x",), ("y",), ""),
    ]
    checked = [check for check in kept.report.checks if check.kind == "contract"]
    assert [check.runtime for check in checked] == [None, None, "onnxruntime", "onnxruntime"]
    assert all(check.figure is not None and check.limit is not None for check in checked)


def test_verifying_later_tells_that_weights_were_checked_at_the_build(kept):
    report = kexport.verify(kept.path)
    assert report.passed
    assert sum("about weights: checked when the bundle was built" in str(note) for note in report.notes) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"z": "bounded(0, 1)"}, "output that the model does not have"),
        ({"w->y": "monotonic(1)"}, "input that the model does not have"),
        ({"last": "sparse(0.5)"}, "a layer that does not exist"),
    ],
)
def test_a_promise_about_something_that_is_not_there_is_refused(given, message, tmp_path):
    import keras

    with pytest.raises(UsageError, match=message):
        kexport.build(model_of(keras.layers.Dense(2, name="y")), tmp_path / "m", formats=["onnx"], contracts=given)
    assert not (tmp_path / "m").exists()


def test_of_several_outputs_one_is_named(tmp_path):
    import keras

    x = keras.Input((4,), name="x")
    model = keras.Model(x, {"a": keras.layers.ReLU(name="a")(x), "b": keras.layers.Dense(2, name="b")(x)})
    with pytest.raises(UsageError, match="does not say which output"):
        kexport.build(model, tmp_path / "m", formats=["onnx"], contracts=["bounded(low=0)"])


def test_weights_that_are_not_as_promised_reject_the_bundle(tmp_path):
    import keras

    model = model_of(keras.layers.Dense(2, name="y"))
    promises = {"y": [Sparse(0.9), WeightNorm(100.0)]}
    bundle = kexport.build(model, tmp_path / "m", formats=["onnx"], contracts=promises)
    assert not bundle.passed
    (failed,) = (check for check in bundle.report.checks if not check.passed)
    assert failed.contract.startswith("sparse(")
    assert "layer y" in failed.detail


def test_a_layer_that_breaks_its_promise_is_named_and_what_broke_it_is_tried_again(tmp_path):
    import keras

    @keras.saving.register_keras_serializable(package="promises")
    class Boastful(keras.layers.Layer):
        def call(self, x):
            return keras.ops.tanh(9 * x) * 1.0001

        def contracts(self):
            return [Bounded(-1, 1)]

    def build():
        return kexport.build(model_of(Boastful(name="loud")), tmp_path / "m", formats=["onnx"])

    bundle = build()
    assert not bundle.passed
    assert bundle.path.name == "m.rejected"
    assert all(check.passed for check in bundle.report.checks if check.kind == "parity")
    (failed,) = (check for check in bundle.report.checks if not check.passed)
    assert (failed.kind, failed.runtime, failed.output) == ("contract", "onnxruntime", "loud")
    assert "layer loud" in failed.detail
    (path,) = counterexamples.paths(bundle.path)
    assert path in failed.detail
    again = build()
    assert path in counterexamples.paths(again.path)
    (failed,) = (check for check in again.report.checks if not check.passed)
    assert failed.metrics["tried"] < 10
    shutil.rmtree(again.path / "witnesses")
    assert kexport.verify(again.path).exit_code == 1


def test_a_layer_whose_promises_fail_is_told_by_name(tmp_path):
    import keras

    class Confused(keras.layers.Layer):
        def call(self, x):
            return x

        def contracts(self):
            raise RuntimeError("no idea")

    with pytest.raises(kexport.KexportError, match="contracts of the layers"):
        kexport.build(model_of(Confused()), tmp_path / "m", formats=["onnx"])


def test_the_command_line_takes_promises(tmp_path):
    command = [sys.executable, "-m", "kexport", "build", "--model", "scaled", "--formats", "onnx", "--out"]
    bounds = ["--contract", "bounded(-20, 20)", "--contract", "scaled_features=bounded(high=19)"]
    done = subprocess.run([*command, str(tmp_path / "s"), *bounds], capture_output=True, text=True, env={**os.environ})
    assert done.returncode == 1, done.stderr
    assert "bounded(high=19)" in done.stdout
    assert "FAIL" in done.stdout
