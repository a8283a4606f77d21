"""What was converted from the same is kept and checked again; whatever has changed is converted."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import kexport
from kexport.bundle import store
from kexport.factory import BuildRequest, Conversion, Declarations, build_bundle
from kexport.factory.earlier_conversions import CONVERTED_FROM, EarlierConversions
from kexport.parity.strictness import Strictness

MODEL = """
import keras

def make(bias: float = 0.0):
    keras.utils.set_random_seed(3)
    image = keras.Input((4,), name="image")
    hidden = keras.layers.Dense(4, activation="relu", bias_initializer=keras.initializers.Constant(bias))(image)
    return keras.Model(image, keras.layers.Dense(2, name="scores")(hidden))
"""
FORMATS = ("onnx", "tflite")


def build(folder: Path, **changes: Any) -> tuple[kexport.Bundle, list[str]]:
    """The bundle, and the steps of its build."""
    steps: list[str] = []
    settings = {"formats": FORMATS, "domain": {"image": "uniform(-1, 1)"}, "precision": "int8", **changes}
    bundle = kexport.build(f"{folder / 'net.py'}:make", folder / "out", progress=steps.append, **settings)
    return bundle, steps


def kept(steps: list[str]) -> list[str]:
    return [step.split(":")[0].removeprefix("keeping ") for step in steps if step.startswith("keeping")]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("once")
    (folder / "net.py").write_text(MODEL)
    bundle, steps = build(folder)
    assert bundle.passed
    assert kept(steps) == []
    return folder


@pytest.fixture
def folder(once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(once, tmp_path / "copy"))


def digests(bundle: kexport.Bundle) -> dict[str, str]:
    return {artifact.path: artifact.sha256 for artifact in bundle.manifest.artifacts}


@pytest.mark.parametrize("change", [
    {"tolerance": {"scores": "0.1: a sensor"}}, {"search": "200"}, {"budget": "sqnr=20dB"}, {"formats": ["onnx"]},
])  # fmt: skip
def test_what_is_asked_of_artifacts_changes_none_of_them(folder: Path, change: dict[str, Any]) -> None:
    before = digests(kexport.Bundle.open(folder / "out"))
    bundle, steps = build(folder, **change)
    assert bundle.passed
    assert kept(steps) == [*bundle_labels(bundle)]
    assert digests(bundle).items() <= before.items()
    assert not any(step.startswith("writing") for step in steps)


def bundle_labels(bundle: kexport.Bundle) -> list[str]:
    """The artifacts in the order in which they are written."""
    artifacts = bundle.manifest.artifacts
    wide = [artifact.format for artifact in artifacts if artifact.precision == "float32"]
    return wide + [f"{each.format} {each.precision}" for each in artifacts if each.precision != "float32"]


def test_a_new_promise_is_checked_on_what_was_converted(folder: Path) -> None:
    bundle, steps = build(folder, contracts={"scores": "bounded(-9, 9)"})
    assert kept(steps)[:2] == ["onnx", "tflite"]
    promises = [check for check in bundle.report.checks if check.kind == "contract"]
    assert {check.runtime for check in promises} == {"onnxruntime", "litert", "litert_reference"}
    assert bundle.passed


def test_what_a_rejected_build_converted_is_kept(folder: Path) -> None:
    shutil.rmtree(folder / "out")
    rejected, _ = build(folder, contracts={"scores": "bounded(0, 0.001)"}, precision=None)
    assert rejected.path == store.rejected(folder / "out")
    bundle, steps = build(folder, precision=None)
    assert bundle.passed
    assert kept(steps) == ["onnx", "tflite"]


@pytest.mark.parametrize("change", [{"settings": {"bias": "0.5"}}, {"opset": 17}])
def test_another_program_or_option_is_converted(folder: Path, change: dict[str, Any]) -> None:
    bundle, steps = build(folder, **change)
    assert bundle.passed
    assert kept(steps) == []


def test_other_ranges_are_calibrated(folder: Path) -> None:
    _, steps = build(folder, domain={"image": "uniform(-2, 2)"})
    assert kept(steps) == ["onnx", "tflite"]


@pytest.mark.parametrize("name", ["model.onnx", "model.int8.tflite"])
def test_a_damaged_artifact_is_converted_anew(folder: Path, name: str) -> None:
    path = folder / "out" / name
    path.write_bytes(path.read_bytes()[:-1] + b"\0\0")
    before = digests(kexport.Bundle.open(folder / "out"))
    bundle, steps = build(folder)
    assert len(kept(steps)) == 3
    assert digests(bundle) == before
    assert bundle.passed


def test_fresh_converts(folder: Path) -> None:
    steps: list[str] = []
    request = BuildRequest(
        f"{folder / 'net.py'}:make",
        folder / "out",
        declarations=Declarations({"image": "uniform(-1, 1)"}),
        conversion=Conversion(FORMATS),
        strictness=Strictness(),
    )
    build_bundle(request, steps.append, fresh=True)
    assert kept(steps) == []
    build_bundle(request, steps.append)
    assert kept(steps) == ["onnx", "tflite"]


def test_files_beside_an_artifact_come_with_it(folder: Path, tmp_path: Path) -> None:
    out, into = folder / "out", tmp_path / "into"
    into.mkdir()
    (out / "weights.bin").write_bytes(b"1234")
    content = json.loads((out / "manifest.json").read_text())
    entry = next(each for each in content["artifacts"] if each["path"] == "model.onnx")
    entry["external"] = [{"path": "weights.bin", "sha256": hashlib.sha256(b"1234").hexdigest(), "bytes": 4}]
    (out / "manifest.json").write_text(json.dumps(content))
    details = EarlierConversions((out,)).take("model.onnx", entry[CONVERTED_FROM], into)
    assert details is not None
    assert details["external"] == ["weights.bin"]
    assert CONVERTED_FROM not in details
    assert sorted(path.name for path in into.iterdir()) == ["model.onnx", "weights.bin"]
    (out / "weights.bin").write_bytes(b"1235")
    shutil.rmtree(into)
    into.mkdir()
    assert EarlierConversions((out,)).take("model.onnx", entry[CONVERTED_FROM], into) is None
    assert not any(into.iterdir()), "nothing is left"


def test_what_the_process_has_built_before_changes_no_key(tmp_path: Path) -> None:
    """TensorFlow numbers what a function captures in a count of the process."""
    (tmp_path / "net.py").write_text(
        "import keras\n\ndef make():\n    keras.utils.set_random_seed(3)\n"
        "    return keras.Sequential([keras.Input((9, 4)), keras.layers.Bidirectional(keras.layers.GRU(3))])\n"
    )
    keys = []
    for name in ("one", "other"):
        bundle = kexport.build(f"{tmp_path / 'net.py'}:make", tmp_path / name, formats=["onnx", "tflite"])
        keys.append([artifact.details[CONVERTED_FROM] for artifact in bundle.manifest.artifacts])
    assert keys[0] == keys[1]
    assert all(keys[0])
