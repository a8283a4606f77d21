"""The commands that only tell: inspect, list, doctor, help."""

import json

import pytest

from conftest import REFERENCE
from kexport import registry


def test_inspect_shows_a_bundle(kexport):
    result = kexport("inspect", REFERENCE / "lowpass")
    assert result.returncode == 0, result.stderr
    for words in (
        "float32 (?, ?) in uniform(-5, 5)", "model.keras", "saved_model", "model.onnx", "model.tflite", "opset",
        "sha256", "built with", "tensorflow", "litert_reference", "pass",
    ):  # fmt: skip
        assert words in result.stdout


@pytest.mark.parametrize(("name", "words"), [
    ("model.onnx", ("signal", "opset", "Conv")),
    ("model.tflite", ("signal", "CONV_2D v")),
])  # fmt: skip
def test_inspect_shows_a_single_file(kexport, name, words):
    result = kexport("inspect", REFERENCE / "lowpass" / name)
    assert result.returncode == 0, result.stderr
    for word in words:
        assert word in result.stdout


@pytest.mark.parametrize("kind", ["models", "layers", "formats", "runtimes"])
def test_list_names_every_plug_in(kexport, kind):
    folder = {"formats": "factory/formats", "runtimes": "runtimes"}.get(kind)
    expected = registry.names(folder) if folder else registry.offers(f"kexport.{kind}")
    result = kexport("list", kind)
    assert result.returncode == 0, result.stderr
    listed = {line.split()[0] for line in result.stdout.splitlines() if not line.startswith(" ")}
    assert listed == set(expected)


def test_doctor_says_what_is_installed(kexport):
    result = kexport("doctor")
    assert result.returncode == 0, result.stderr
    for word in ("onnxruntime", "litert", "saved_model", "tf2onnx", "Python"):
        assert word in result.stdout


def test_doctor_says_what_is_missing_and_how_to_get_it(kexport, tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['onnxruntime'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    result = kexport("doctor")
    assert "pip install 'kexport[onnx]'" in result.stdout


@pytest.mark.parametrize("command", ["build", "verify", "run", "inspect", "list", "doctor"])
def test_every_command_has_its_help(kexport, command):
    result = kexport(command, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith("Usage: ")


@pytest.mark.parametrize("detail", [[{"later": 1}], [[1, {"path": None}]], {"a": {"b": [None]}}, None, [], "text"])
def test_inspect_shows_what_an_artifact_records_that_is_not_known_here(kexport, reference, detail):
    path = reference / "manifest.json"
    content = json.loads(path.read_text())
    content["artifacts"][0]["later"] = detail
    path.write_text(json.dumps(content))
    result = kexport("inspect", reference)
    assert result.returncode == 0, result.stderr
    assert "later" in result.stdout
