"""What is asked for and cannot be read is said, and is never taken for nothing."""

import os
import shutil

import pytest

from conftest import REFERENCE
from kexport import verify
from kexport.bundle.folder import Bundle, is_bundle
from kexport.bundle.report import CheckKind
from kexport.errors import ArtifactError, BundleError, KexportError
from kexport.field.comparison.operands import Operand
from kexport.field.inspection import describe
from kexport.field.loading import load


@pytest.fixture
def bundle(tmp_path):
    return shutil.copytree(REFERENCE / "scaled", tmp_path / "scaled")


def test_witnesses_that_cannot_be_read_are_checks_that_were_not_run(bundle, tmp_path):
    (bundle / "witnesses").symlink_to(tmp_path)
    report = verify(bundle, ["onnxruntime"])
    assert report.exit_code == 3
    (missing,) = [check for check in report.checks if check.kind is CheckKind.WITNESS]
    assert not missing.ran
    assert "leads out of the bundle" in missing.detail


def read_all(bundle):
    _ = Bundle.open(bundle).report
    next(iter(Bundle.open(bundle).goldens()))
    load(bundle, "onnxruntime")


@pytest.mark.parametrize("name", ["manifest.json", "report.json", "goldens.npz", "model.onnx"])
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "endless"])
def test_a_file_that_is_none_is_an_error_at_once(bundle, tmp_path, name, kind):
    shutil.move(bundle / name, tmp_path / name)
    if kind == "pipe":
        os.mkfifo(bundle / name)
    elif kind == "folder":
        (bundle / name).mkdir()
    else:
        (bundle / name).symlink_to(tmp_path / name if kind == "link" else "/dev/zero")
    with pytest.raises(KexportError, match=name if name != "report.json" else "the report"):
        read_all(bundle)


def test_a_file_that_is_larger_than_declared_is_not_read_to_its_end(bundle):
    with (bundle / "model.onnx").open("r+b") as file:
        file.truncate(1 << 27)
    with pytest.raises(ArtifactError, match="too large"):
        load(bundle, "onnxruntime")
    with pytest.raises(ArtifactError, match="is not the file that the manifest describes"):
        load(bundle, "onnxruntime", max_bytes=1 << 28)


def test_an_artifact_that_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "model.onnx")
    for opened in (describe, lambda path: Operand.open("A", path)):
        with pytest.raises(BundleError, match=r"model\.onnx cannot be read"):
            opened(tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "\ud800"])
def test_a_name_that_no_file_can_have_is_no_bundle(tmp_path, name):
    for opened in (is_bundle, Bundle.open, lambda path: Operand.open("A", path)):
        with pytest.raises(BundleError):
            opened(tmp_path / name)
