"""Whether the files of a bundle are those that were built, and which runtimes may run all the same."""

import pytest

from kexport.bundle.folder import Bundle
from kexport.field.integrity import check_digests


def damage(path):
    path.write_bytes(path.read_bytes() + b"x")


def test_an_unchanged_bundle_is_intact(reference):
    bundle = Bundle.open(reference)
    integrity = check_digests(bundle)
    assert all(check.passed for check in integrity.checks)
    assert all(integrity.intact(artifact.format) for artifact in bundle.manifest.artifacts)


def test_a_damaged_artifact_stops_the_runtimes_of_its_format_alone(reference):
    damage(reference / "model.onnx")
    integrity = check_digests(Bundle.open(reference))
    assert [check.artifact for check in integrity.checks if not check.passed] == ["model.onnx"]
    assert not integrity.intact("onnx")
    assert integrity.intact("tflite")


@pytest.mark.parametrize("harm", [damage, lambda path: path.unlink()])
def test_without_its_goldens_no_runtime_can_be_compared(reference, harm):
    bundle = Bundle.open(reference)
    harm(reference / bundle.manifest.goldens.path)
    integrity = check_digests(bundle)
    assert not any(integrity.intact(artifact.format) for artifact in bundle.manifest.artifacts)
