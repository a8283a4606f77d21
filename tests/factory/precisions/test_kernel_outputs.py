"""What each class of kernels gave at the build is recorded, and compared with on a device, in steps of the output."""

import json
import os
import shutil

import keras
import numpy as np
import pytest

import kexport
from conftest import run_kexport
from kexport.bundle import npz
from kexport.bundle.digests import digest
from kexport.bundle.folder import Bundle
from kexport.errors import BundleError
from kexport.factory.precisions import record_kernels

TFLITE, ONNX = "model.int8.tflite", "model.int8.onnx"


def network():
    keras.utils.set_random_seed(4)
    x = keras.Input((8, 8, 2), name="x")
    h = keras.layers.Conv2D(4, 3, activation="relu", name="c")(x)
    return keras.Model(x, keras.layers.Dense(3, name="y")(keras.layers.Flatten(name="f")(h)), name="small")


def build(target):
    domain = {"x": "uniform(-2, 2)"}
    return kexport.build(network(), target, formats=["onnx", "tflite"], domain=domain, precision="int8,int16x8")


@pytest.fixture(scope="module")
def integers(tmp_path_factory):
    bundle = build(tmp_path_factory.mktemp("kernels") / "b")
    assert bundle.passed
    return bundle


@pytest.fixture
def copied(integers, tmp_path):
    return shutil.copytree(integers.path, tmp_path / "copy")


def entry_of(bundle, path):
    (found,) = (each for each in bundle.manifest.artifacts if each.path == path)
    return found


def details(path, change):
    """Change the details of all artifacts in a manifest."""
    manifest = json.loads((path / "manifest.json").read_text())
    for each in manifest["artifacts"]:
        change(each)
    (path / "manifest.json").write_text(json.dumps(manifest))


def as_other_kernels(path, artifact, kernels, by):
    """The record of other kernels, of which one integer is some steps away."""
    entry = entry_of(Bundle.open(path), artifact).kernels
    with np.load(path / entry.path) as stored:
        arrays = dict(stored)
    name = f"{kernels}/0/y"
    moved = arrays[name].copy()
    moved[0, 0] += by if moved[0, 0] < 100 else -by
    npz.write(path / entry.path, {**arrays, name: moved})

    def with_digest(each):
        if each["path"] == artifact:
            each["kernels"]["sha256"] = digest(path / entry.path)

    details(path, with_digest)


def parity(path, runtime, artifact):
    report = kexport.verify(path, [runtime])
    return next(check for check in report.checks if check.kind == "parity" and check.artifact == artifact)


def test_each_class_of_kernels_is_recorded_with_what_it_may_be_away(integers):
    tflite, onnx = entry_of(integers, TFLITE).kernels, entry_of(integers, ONNX).kernels
    assert tflite.allowed["litert_reference"] == {"y": 0}
    assert tflite.allowed["litert"]["y"] >= 1
    assert set(onnx.allowed) == {"onnxruntime", "onnxruntime unoptimised"}
    with np.load(integers.path / tflite.path) as stored:
        assert {stored[name].dtype for name in stored.files} == {np.dtype("int8")}
        assert {name.split("/")[0] for name in stored.files} == {"litert", "litert_reference"}
        assert len(stored.files) == 2 * len(integers.manifest.cases)
    with np.load(integers.path / entry_of(integers, "model.int16x8.tflite").kernels.path) as stored:
        assert {stored[name].dtype for name in stored.files} == {np.dtype("int16")}
    assert entry_of(integers, "model.onnx").kernels is None


def test_the_integers_that_are_recorded_are_those_of_the_file(integers):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(str(integers.path / TFLITE), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    golden = next(iter(integers.goldens()))
    entry = entry_of(integers, TFLITE)
    with np.load(integers.path / entry.kernels.path) as stored:
        recorded = stored["litert_reference/0/y"]
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.allocate_tensors()
    for row, want in zip(golden.inputs["x"], recorded, strict=True):
        interpreter.set_tensor(given["index"], row[np.newaxis])
        interpreter.invoke()
        np.testing.assert_array_equal(entry.steps["y"].real(want), interpreter.get_tensor(made["index"])[0])


def test_reports_count_the_steps_from_its_own_record_and_from_the_other_kernels(integers):
    found = {(c.artifact, c.runtime): c.metrics.get("lsb") for c in integers.report.checks if c.kind == "parity"}
    for (artifact, _), steps in found.items():
        assert (steps is None) == (artifact in ("model.onnx", "model.tflite"))
    reference = found[TFLITE, "litert_reference"]
    assert reference["own"] == reference["allowed"] == reference["differing"] == 0
    assert set(reference["others"]) == {"litert"}
    shown = run_kexport("verify", integers.path, cwd=integers.path.parent, env={**os.environ, "COLUMNS": "140"})
    assert " LSB " in shown.stdout
    assert "0 / " in shown.stdout


def test_kernels_that_are_the_same_everywhere_may_not_differ(copied):
    as_other_kernels(copied, TFLITE, "litert_reference", 1)
    check = parity(copied, "litert_reference", TFLITE)
    assert not check.passed
    assert "1 steps from what these kernels gave at the build, and must be the same" in check.detail
    assert parity(copied, "litert", TFLITE).passed


@pytest.mark.parametrize(("runtime", "artifact"), [("litert", TFLITE), ("onnxruntime", ONNX)])
def test_other_kernels_may_differ_by_what_the_build_measured_and_one_step(copied, runtime, artifact):
    allowed = entry_of(Bundle.open(copied), artifact).kernels.allowed[runtime]["y"]
    as_other_kernels(copied, artifact, runtime, allowed)
    check = parity(copied, runtime, artifact)
    assert check.passed
    assert check.metrics["lsb"]["own"] == allowed
    as_other_kernels(copied, artifact, runtime, 1)  # one more
    check = parity(copied, runtime, artifact)
    assert not check.passed
    assert f"at most {allowed} are allowed" in check.detail


def test_an_older_bundle_without_a_record_is_valid(copied):
    details(copied, lambda each: (each.pop("kernels", None), each.pop("steps", None)))
    for path in copied.glob("*.kernels.npz"):
        path.unlink()
    report = kexport.verify(copied, ["litert_reference", "onnxruntime"])
    assert report.passed
    assert not any("lsb" in check.metrics for check in report.checks)


def test_a_record_that_is_damaged_or_missing_fails_a_check_of_its_digest(copied):
    path = copied / entry_of(Bundle.open(copied), TFLITE).kernels.path
    path.write_bytes(path.read_bytes()[:-1])
    (copied / entry_of(Bundle.open(copied), ONNX).kernels.path).unlink()
    report = kexport.verify(copied, ["litert", "onnxruntime"])
    failed = [check for check in report.checks if not check.passed]
    assert [check.kind for check in failed] == ["digest", "digest"]


@pytest.mark.parametrize("change", [{"path": "../x"}, {"allowed": {"litert": {"y": "1"}}}, {"sha256": 3}])
def test_an_entry_that_is_none_is_refused(copied, change):
    details(copied, lambda each: each.get("kernels", {}).update(change))
    with pytest.raises(BundleError):
        Bundle.open(copied)


def test_what_is_not_recorded_is_recorded_alike_and_what_is_gone_is_removed(copied, integers):
    def other(each):
        if each["path"] == TFLITE:
            del each["kernels"]
        if each["path"] == ONNX:
            each["path"], each["kernels"] = "gone.onnx", None
            del each["kernels"], each["steps"]

    details(copied, other)
    record_kernels(copied)
    again = entry_of(Bundle.open(copied), TFLITE).kernels
    assert again == entry_of(integers, TFLITE).kernels
    assert not list(copied.glob(f"{ONNX}.kernels*"))


def test_another_build_writes_the_same_bytes(integers, tmp_path):
    other = build(tmp_path / "other")
    for path in integers.path.iterdir():
        assert path.read_bytes() == (other.path / path.name).read_bytes(), path.name
