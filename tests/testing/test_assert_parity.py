"""`assert_parity` by itself: what it takes, what it raises, and how that reads."""

import json
import shutil

import pytest

from conftest import REFERENCE
from kexport.bundle.folder import Bundle
from kexport.errors import BundleError, ModelError, UsageError
from kexport.reports import number
from kexport.testing import ParityError, assert_parity


def swap_artifacts(bundle, other):
    """The ONNX file of another model, and a manifest that vouches for it."""
    shutil.copy(other / "model.onnx", bundle / "model.onnx")
    old, new = (next(a for a in Bundle.open(b).manifest.artifacts if a.format == "onnx") for b in (bundle, other))
    manifest = bundle / "manifest.json"
    manifest.write_text(manifest.read_text().replace(old.sha256, new.sha256))


def test_a_bundle_that_is_right_gives_its_report(reference):
    for what in (reference, str(reference), Bundle.open(reference)):
        report = assert_parity(what, runtimes=["onnxruntime"], require="litert")
        assert {check.runtime for check in report.checks if check.compared} == {"onnxruntime", "litert"}


def test_a_failure_reads_well(reference):
    manifest = json.loads((reference / "manifest.json").read_text())
    manifest["goldens"]["limits"][0].update(limit=0.0, floor=0.0)
    (reference / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ParityError) as caught:
        assert_parity(reference, runtimes=["litert", "onnxruntime"])
    assert isinstance(caught.value, AssertionError)
    first, titles, *rows = str(caught.value).splitlines()
    assert first.startswith("lowpass: 9 checks, ")
    assert titles.split() == ["verdict", "check", "artifact", "runtime", "output", "figure", "limit"]
    failed = [check for check in caught.value.report.checks if not check.passed]
    assert failed
    for check in failed:
        place = next(
            i for i, row in enumerate(rows) if row.split()[0:4] == ["FAIL", "parity", check.artifact, check.runtime]
        )
        assert rows[place].split()[4:] == [check.output, number(check.figure), number(check.limit)]
        assert "element [" in rows[place + 1], "where the worst element is"
    assert f"find the layer:    kexport localise {reference} --runtime {failed[0].runtime}" in str(caught.value)


def test_an_artifact_of_another_model_is_a_failure(reference):
    swap_artifacts(reference, REFERENCE / "scaled")
    with pytest.raises(AssertionError, match=r"FAIL +signature +model.onnx"):
        assert_parity(reference, runtimes="onnxruntime")


def test_a_check_that_cannot_be_made_raises_too(reference):
    manifest = json.loads((reference / "manifest.json").read_text())
    manifest["artifacts"] = [entry for entry in manifest["artifacts"] if entry["format"] == "onnx"]
    (reference / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ParityError, match="not checked"):
        assert_parity(reference, runtimes=["litert"])
    with pytest.raises(ParityError, match="not checked"):
        assert_parity(reference, runtimes=["onnxruntime"], require=["litert"])
    with pytest.raises(ParityError, match="holds no tflite artifact"):
        assert_parity(reference, require=["litert"])


def test_a_wrong_request_is_told_as_such(tmp_path, reference):
    with pytest.raises(UsageError, match="did you mean litert"):
        assert_parity(reference, runtimes=["lite"])
    with pytest.raises(UsageError, match="names no runtime"):
        assert_parity(reference, runtimes=[])
    with pytest.raises(UsageError, match="a bundle takes no domain"):
        assert_parity(reference, domain={"signal": (0, 1)})
    with pytest.raises(BundleError, match="no such folder"):
        assert_parity(tmp_path / "none")
    with pytest.raises(UsageError, match="did you mean lowpass"):
        assert_parity("lowpas")
    with pytest.raises(ModelError, match=r"there is no file .*none.keras"):
        assert_parity(tmp_path / "none.keras")
    with pytest.raises(UsageError, match="this is not a model"):
        assert_parity(3)


def test_a_model_is_built_first_in_the_formats_that_its_runtimes_read(tmp_path):
    report = assert_parity("scaled", runtimes=["onnxruntime"], folder=tmp_path)
    assert {check.runtime for check in report.checks if check.compared} == {"onnxruntime"}
    assert [artifact.format for artifact in Bundle.open(tmp_path / "bundle").manifest.artifacts] == ["onnx"]


@pytest.fixture
def own_temporary(tmp_path, monkeypatch):
    """The folder in which temporary ones are made."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def test_a_live_model_is_built_and_nothing_is_left(own_temporary):
    import keras

    inputs = keras.Input((3,), name="x")
    model = keras.Model(inputs, keras.layers.Dense(2, name="y")(inputs), name="mine")
    assert assert_parity(model, runtimes=["onnxruntime"], domain={"x": (-1, 1)}).bundle == "mine"
    assert list(own_temporary.glob("kexport*")) == []


def test_an_export_that_is_refused_is_a_failed_assertion_and_leaves_nothing(own_temporary):
    import keras

    inputs = keras.Input((), dtype="string", name="text")
    model = keras.Model(inputs, keras.layers.StringLookup(vocabulary=["a", "b"], name="y")(inputs), name="words")
    with pytest.raises(ParityError, match="cannot be written as tflite"):
        assert_parity(model, runtimes=["litert"])
    assert list(own_temporary.glob("kexport*")) == []
