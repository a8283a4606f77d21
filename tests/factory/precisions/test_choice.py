"""`--precision auto`: the smallest artifact that keeps its budget and its promises, and what is told of the others."""

import json

import keras
import pytest

import kexport
from kexport.errors import UsageError


def network(width):
    keras.utils.set_random_seed(0)
    x = keras.Input((16,), name="x")
    return keras.Model(x, keras.layers.Dense(4, name="y")(keras.layers.Dense(width, activation="relu")(x)))


def test_of_each_format_the_smallest_that_passes_is_kept(tmp_path):
    wide = kexport.build(
        network(128), tmp_path / "all", formats=["onnx", "tflite"], precision="float16,dynamic,int16x8,int8"
    )
    sizes = {(each.format, each.precision): each.bytes for each in wide.manifest.artifacts}
    bundle = kexport.build(network(128), tmp_path / "b", formats=["onnx", "tflite"], precision="auto")
    assert bundle.passed
    kept = {(each.format, each.precision): each.bytes for each in bundle.manifest.artifacts}
    for name in ("onnx", "tflite"):
        smallest = min((key for key in sizes if key[0] == name), key=sizes.__getitem__)
        assert smallest[1] != "float32"
        assert {key for key in kept if key[0] == name} == {(name, "float32"), smallest}
        assert any(note.startswith(f"{name}: {smallest[1]}, the smallest that passed") for note in bundle.report.notes)
    entries = bundle.manifest.artifacts
    recorded = [each.kernels.path for each in entries if each.kernels is not None]
    assert {path.name for path in bundle.path.glob("model.*")} == {*(each.path for each in entries), *recorded}
    files = {each.path for each in bundle.manifest.artifacts}
    assert {check.artifact for check in bundle.report.checks if check.kind == "parity"} == files
    assert kexport.verify(bundle.path, ["onnxruntime", "litert"]).passed


def test_a_budget_leaves_out_what_is_smaller_and_worse(tmp_path):
    bundle = kexport.build(network(128), tmp_path / "b", formats=["tflite"], precision=["auto"], budget="sqnr=60dB")
    assert bundle.passed
    assert [each.precision for each in bundle.manifest.artifacts] == ["float32", "float16"]
    (note,) = (note for note in map(str, bundle.report.notes) if note.startswith("tflite: float16"))
    assert "int8 " in note
    assert ", fails: parity" in note
    gone = ("model.int8.tflite", "model.int16x8.tflite", "model.dynamic.tflite")
    assert not [note for note in map(str, bundle.report.notes) if note.startswith(gone)]


def test_where_none_passes_the_nearest_fails(tmp_path):
    bundle = kexport.build(network(128), tmp_path / "b", formats=["onnx"], precision="auto", budget="sqnr=120dB")
    assert not bundle.passed
    assert [each.precision for each in bundle.manifest.artifacts] == ["float32", "float16"]
    assert {check.artifact for check in bundle.report.checks if not check.passed} == {"model.float16.onnx"}


def test_where_float32_is_the_smallest_nothing_is_added(tmp_path):
    bundle = kexport.build("scaled", tmp_path / "b", formats=["onnx"], precision="auto")
    assert bundle.passed
    assert [each.precision for each in bundle.manifest.artifacts] == ["float32"]
    assert json.loads((bundle.path / "manifest.json").read_text())["schema"] == 1
    assert any(note.startswith("onnx: float32 is the smallest: ") for note in bundle.report.notes)


def test_what_cannot_be_chosen_from_is_refused(tmp_path):
    with pytest.raises(UsageError, match="none of the formats can be written"):
        kexport.build("scaled", tmp_path / "b", formats=["keras"], precision="auto")
    with pytest.raises(UsageError, match="'auto' chooses among all precisions"):
        kexport.build("scaled", tmp_path / "b", precision="auto,int8")
