from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kexport
from kexport.errors import ArtifactError, RunError
from kexport.field.interface import declared_signature

Entry = dict[str, Any]


def state(bundle: Path, change: Callable[[Entry], object]) -> Path:
    """Change the signature in the manifest, which stays consistent."""
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest["signature"])
    (domain,) = manifest["domains"].values()
    manifest["domains"] = {entry["name"]: domain for entry in manifest["signature"]["inputs"]}
    manifest["goldens"]["limits"][0]["output"] = manifest["signature"]["outputs"][0]["name"]
    path.write_text(json.dumps(manifest))
    return bundle


CHANGES: dict[str, Callable[[Entry], object]] = {
    "the name of an input": lambda s: s["inputs"][0].update(name="other"),
    "the dtype of an input": lambda s: s["inputs"][0].update(dtype="int32"),
    "the rank of an input": lambda s: s["inputs"][0].update(shape=[None, 8, 1]),
    "a size of an input": lambda s: s["inputs"][0].update(shape=[None, 9]),
    "one input more": lambda s: s["inputs"].append({"name": "more", "dtype": "float32", "shape": [None]}),
    "the name of an output": lambda s: s["outputs"][0].update(name="other"),
    "the dtype of an output": lambda s: s["outputs"][0].update(dtype="float64"),
    "the rank of an output": lambda s: s["outputs"][0].update(shape=[None]),
}


@pytest.mark.parametrize("runtime", ["onnxruntime", "litert"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_manifest_that_states_another_interface_is_refused_at_load(name: str, runtime: str, reference: Path) -> None:
    state(reference, CHANGES[name])
    with pytest.raises(ArtifactError, match="is not the model that the manifest describes") as raised:
        kexport.load(reference, runtime)
    assert {"got", "expected", "hint"} <= {key for key, fact in raised.value.facts.items() if fact}


def test_a_declaration_that_no_tensor_fits_is_refused() -> None:
    huge: Entry = {"name": "x", "dtype": "float32", "shape": [2**62]}
    with pytest.raises(ArtifactError, match="that no model can have"):
        declared_signature({"inputs": [huge], "outputs": []}, "model.onnx")


@pytest.mark.parametrize("isolated", [False, True])
def test_an_output_of_another_size_is_refused_at_the_call(isolated: bool, reference: Path) -> None:
    state(reference, lambda signature: signature["outputs"][0].update(shape=[None, 3]))
    with kexport.load(reference, "onnxruntime", isolated=isolated) as model, pytest.raises(RunError, match="manifest"):
        model(np.ones((1, 16), "float32"))


@pytest.mark.parametrize("runtime", ["onnxruntime", "litert"])
def test_bytes_that_are_no_model_are_refused_with_a_reason(
    runtime: str, reference: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    name = "model.onnx" if runtime == "onnxruntime" else "model.tflite"
    content = bytearray((reference / name).read_bytes())
    at = content.index(b"signal")
    content[at : at + 6] = b"\xff\xfe\xff\xfe\xff\xfe"
    manifest = json.loads((reference / "manifest.json").read_text())
    entry = next(entry for entry in manifest["artifacts"] if entry["path"] == name)
    entry["sha256"] = hashlib.sha256(content).hexdigest()
    (reference / name).write_bytes(content)
    (reference / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError):
        kexport.load(reference, runtime)
    assert capfd.readouterr().out == ""
