"""The bundles that are checked in: an upgrade of a runtime that changes numbers, or of the format, turns these red."""

import hashlib
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import kexport as package
from conftest import REFERENCE

BUNDLES = ["lowpass", "regularized", "scaled"]
#: With artifacts in small precisions: promises, integers in and out; an LSTM.
SMALL = {"lowpass_small": {"float16", "dynamic", "int16x8", "int8"}, "lstm_small": {"float16", "dynamic", "int8"}}
LIGHT = ["onnxruntime", "litert", "litert_reference"]
RUNTIMES = {"keras", "saved_model", "onnxruntime", "litert", "litert_reference"}


def test_they_are_there():
    assert {path.name for path in REFERENCE.iterdir()} == {*BUNDLES, *SMALL}


@pytest.mark.parametrize("name", BUNDLES)
def test_every_runtime_still_computes_the_model(kexport, name, tmp_path):
    result = kexport("verify", REFERENCE / name, "--json", "--junit", tmp_path / "junit.xml")
    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads(result.stdout)
    assert report["schema"] == 2
    assert report["passed"] is True
    parity = [check for check in report["checks"] if check["kind"] == "parity"]
    assert {check["runtime"] for check in parity} == RUNTIMES
    assert all(check["figure"] <= check["limit"] for check in parity)
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert len(list(suite.iter("testcase"))) == len(report["checks"])
    assert not list(suite.iter("failure"))


@pytest.mark.parametrize("name", BUNDLES)
def test_schema_1_as_it_was_written_then_still_opens(name):
    manifest = json.loads((REFERENCE / name / "manifest.json").read_text())
    assert manifest["schema"] == 1
    bundle = package.Bundle.open(REFERENCE / name)
    assert bundle.manifest.name == name
    assert bundle.passed
    assert [spec.name for spec in bundle.signature.inputs] == [spec["name"] for spec in manifest["signature"]["inputs"]]


@pytest.mark.parametrize("name", SMALL)
def test_schema_2_as_it_was_written_then_still_holds(name):
    manifest = json.loads((REFERENCE / name / "manifest.json").read_text())
    assert manifest["schema"] == 2
    bundle = package.Bundle.open(REFERENCE / name)
    assert {artifact.precision for artifact in bundle.manifest.artifacts} == {"float32", *SMALL[name]}
    report = package.verify(bundle.path, LIGHT)
    assert report.passed, report
    assert {check.runtime for check in report.checks if check.kind == "parity"} == set(LIGHT)


def test_integers_of_the_reference_kernels_are_the_same_bits_everywhere():
    raw = package.load(REFERENCE / "lowpass_small", "litert_reference", precision="int8", integers=True)
    x = (np.arange(200, dtype="int64") * 37 % 256 - 128).astype("int8").reshape(2, 100)
    assert hashlib.sha256(raw(x).tobytes()).hexdigest()[:16] == "215716b100bc10ee"


def test_the_light_runtimes_verify_without_tensorflow():
    blocked = ("tensorflow", "keras", "tf2onnx", "onnx")
    code = (
        f"import sys\nfor name in {blocked!r}: sys.modules[name] = None\n"
        "import kexport\n"
        f"report = kexport.verify({str(REFERENCE / 'lowpass')!r}, ['onnxruntime', 'litert', 'litert_reference'])\n"
        "assert report.passed, report\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
