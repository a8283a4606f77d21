"""With the tested versions, a named model becomes the same artifacts as ever: the same weights, operators and bytes.

The digests are in tests/artifact_digests.json; with other versions of the converters there is nothing to compare with.
A change that is meant: delete the entry of the model, run this test once, and commit what it writes.
"""

import hashlib
import importlib.metadata
import json

import onnx
import pytest

import kexport
from conftest import ROOT
from kexport import registry

RECORDED = ROOT / "tests" / "artifact_digests.json"
CONVERTERS = ("tensorflow-cpu", "keras", "tf2onnx", "onnx", "numpy")


def versions_tested():
    lines = (ROOT / "scripts" / "constraints.txt").read_text().replace("_", "-").splitlines()
    pins = [line.split(";")[0].strip().partition("==") for line in lines]  # the newest Python's come first
    return {name: next(version for pinned, _, version in pins if pinned == name) for name in CONVERTERS}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def fingerprint(bundle):
    """What must not change; the names of ONNX nodes and values count up within a process, so they are left out."""
    model = onnx.load(bundle.path / "model.onnx")
    weights = sorted((each.data_type, list(each.dims), sha256(each.raw_data)) for each in model.graph.initializer)
    nodes = [
        [node.op_type, len(node.input), len(node.output), sorted(sha256(a.SerializeToString()) for a in node.attribute)]
        for node in model.graph.node
    ]
    return {
        "model.tflite": sha256((bundle.path / "model.tflite").read_bytes()),
        "model.onnx, nodes and weights": sha256(json.dumps([nodes, weights]).encode()),
    }


@pytest.mark.parametrize("name", registry.offers("kexport.models"))
def test_a_named_model_becomes_the_same_artifacts_as_ever(name, tmp_path):
    installed = {each: importlib.metadata.version(each) for each in CONVERTERS}
    if installed != versions_tested():
        pytest.skip("the digests are those of the tested versions, and others are installed")
    found = fingerprint(kexport.build(name, tmp_path / "bundle", formats=["onnx", "tflite"]))
    recorded = json.loads(RECORDED.read_text())
    if name not in recorded:
        RECORDED.write_text(json.dumps({**recorded, name: found}, indent=2, sort_keys=True) + "\n")
        pytest.fail(f"no digests were recorded for {name}; they are now: commit {RECORDED.name} if they are right")
    assert found == recorded[name]
