"""What a manifest says of an artifact is compared with its file, and what nothing reads has not passed."""

import json
import shutil
from pathlib import Path

import pytest

import kexport
from kexport.errors import BundleError

SCALED = Path(__file__).parents[3] / "artifacts" / "reference" / "scaled"


def changed(folder, artifact_format, **entries):
    """A copy of a bundle with other entries for one of its artifacts."""
    copy = shutil.copytree(SCALED, folder / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    (artifact,) = (each for each in manifest["artifacts"] if each["format"] == artifact_format)
    artifact.update(entries)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


def with_a_twin(folder, artifact_format, **entries):
    """The same, with another file of that format, in another precision."""
    copy = changed(folder, artifact_format, **entries)
    manifest = json.loads((copy / "manifest.json").read_text())
    (artifact,) = (each for each in manifest["artifacts"] if each["format"] == artifact_format)
    twin = shutil.copy(copy / artifact["path"], copy / f"twin.{artifact['path']}")
    stated = {key: value for key, value in artifact.items() if key != "ops"}
    manifest["artifacts"].append({**stated, "path": Path(twin).name, "precision": "int8"})
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


@pytest.mark.parametrize("artifact_format", ["onnx", "tflite"])
@pytest.mark.parametrize("operators", [{"QuantizeLinear": 2}, {}, 3, "MatMul"], ids=str)
def test_operators_that_are_not_in_the_file_are_a_failed_check(tmp_path, artifact_format, operators):
    """Artifacts of two precisions may have changed places, each with its digest."""
    report = kexport.verify(with_a_twin(tmp_path, artifact_format, ops=operators))
    assert report.exit_code == 1
    failed = {check.kind for check in report.checks if not check.passed}
    assert {str(kind) for kind in failed} == {"signature"}


@pytest.mark.parametrize("exchanged", [("path", "sha256", "bytes"), ("precision", "limits")], ids=str)
def test_integers_of_two_widths_that_changed_places_are_a_failed_check(tmp_path, exchanged):
    small = ["int16x8", "int8"]
    domain = {"features": "uniform(-5, 5)"}
    bundle = kexport.build("scaled", tmp_path / "b", formats=["tflite"], precision=small, domain=domain)
    manifest = json.loads((bundle.path / "manifest.json").read_text())
    one, other = (each for each in manifest["artifacts"] if each["precision"] in small)
    for key in exchanged:
        one[key], other[key] = other[key], one[key]
    assert kexport.verify(bundle.path).passed
    (bundle.path / "manifest.json").write_text(json.dumps(manifest))
    failed = [check for check in kexport.verify(bundle.path).checks if not check.passed]
    assert "signature" in {str(check.kind) for check in failed}
    assert any("it computes int" in str(fact) for check in failed for fact in check.facts)


def test_an_artifact_that_no_runtime_reads_is_not_checked(tmp_path):
    report = kexport.verify(changed(tmp_path, "tflite", format="coreml"))
    assert report.exit_code == 3
    (missed,) = (check for check in report.checks if not check.ran)
    assert missed.artifact == "model.tflite"
    assert "no runtime reads the format 'coreml'" in missed.detail


@pytest.mark.parametrize("precision", ["int4", "", "<b>"])
def test_an_unknown_precision_is_no_precision(tmp_path, precision):
    copy = changed(tmp_path, "onnx", precision=precision)
    for function in (kexport.load, kexport.verify):
        with pytest.raises(BundleError, match="precision is not one of float32"):
            function(copy)
