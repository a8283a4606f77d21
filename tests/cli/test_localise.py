import hashlib
import json
import shutil

import pytest

from conftest import REFERENCE


def test_a_healthy_bundle_has_a_table_of_layers_and_exit_code_0(kexport):
    result = kexport("localise", REFERENCE / "regularized", "--runtime", "onnxruntime")
    assert result.returncode == 0, result.stderr
    assert "MatMul" in result.stdout
    assert "does not diverge" in result.stdout


def test_without_a_runtime_every_artifact_that_can_be_looked_into_has_its_own(kexport):
    result = kexport("localise", REFERENCE / "scaled", "--json")
    assert result.returncode == 0, result.stderr
    data = json.loads(result.stdout)
    assert data["passed"] is True
    assert [each["runtime"] for each in data["localisations"]] == ["onnxruntime", "litert", "litert_reference"]


def test_an_artifact_changed_after_the_build_is_looked_into_all_the_same(kexport, reference):
    import onnx

    path = reference / "model.onnx"
    model = onnx.load(str(path))
    weights = max(model.graph.initializer, key=lambda each: onnx.numpy_helper.to_array(each).size)
    values = onnx.numpy_helper.to_array(weights)
    weights.CopyFrom(onnx.numpy_helper.from_array(values * values.dtype.type(2), weights.name))
    path.write_bytes(model.SerializeToString())
    result = kexport("localise", reference, "--runtime", "onnxruntime")
    assert result.returncode == 1, result.stderr
    assert "it diverges at filtered (LowPassFilter; " in result.stdout
    assert "changed or damaged after the build" in result.stdout


def test_a_model_that_takes_too_much_memory_is_not_checked(kexport, reference):
    import keras

    signal = keras.Input((None,), name="signal")
    wide = keras.layers.RepeatVector(10**9, name="wide")(signal)
    keras.Model(signal, keras.layers.GlobalAveragePooling1D(name="filtered")(wide)).save(reference / "model.keras")
    manifest = json.loads((reference / "manifest.json").read_text())
    (entry,) = (each for each in manifest["artifacts"] if each["format"] == "keras")
    entry["sha256"] = hashlib.sha256((reference / "model.keras").read_bytes()).hexdigest()
    (reference / "manifest.json").write_text(json.dumps(manifest))
    result = kexport("localise", reference, "--runtime", "onnxruntime")
    assert (result.returncode, result.stdout) == (3, ""), result.stderr
    assert "more memory than" in result.stderr


def test_without_the_model_in_the_bundle_nothing_can_be_checked(kexport, reference):
    manifest = json.loads((reference / "manifest.json").read_text())
    manifest["artifacts"] = [each for each in manifest["artifacts"] if each["format"] != "keras"]
    (reference / "manifest.json").write_text(json.dumps(manifest))
    result = kexport("localise", reference)
    assert result.returncode == 3
    assert "its model is not in the bundle" in result.stderr
    assert "--formats keras,saved_model,onnx,tflite" in result.stderr


@pytest.mark.parametrize("name", ["model.keras", "goldens.npz"])
def test_truth_and_goldens_that_were_changed_are_refused(kexport, reference, name):
    with (reference / name).open("ab") as file:
        file.write(b"more")
    result = kexport("localise", reference)
    assert result.returncode == 1
    assert f"{name} is not the file that the manifest describes" in result.stderr


def test_a_runtime_that_cannot_be_looked_into_says_which_can(kexport, reference):
    result = kexport("localise", reference, "--runtime", "keras")
    assert result.returncode == 2
    assert "onnxruntime, litert, litert_reference" in result.stderr
    result = kexport("localise", reference, "--runtime", "onnxruntim")
    assert result.returncode == 2
    assert "did you mean onnxruntime?" in result.stderr


def test_a_bundle_without_such_an_artifact_is_not_checked(kexport, reference):
    manifest = json.loads((reference / "manifest.json").read_text())
    manifest["artifacts"] = [each for each in manifest["artifacts"] if each["format"] == "keras"]
    (reference / "manifest.json").write_text(json.dumps(manifest))
    assert kexport("localise", reference).returncode == 3
    assert kexport("localise", reference, "--runtime", "litert").returncode == 3
    shutil.rmtree(reference)
    assert kexport("localise", reference).returncode == 2


@pytest.mark.parametrize(("ran", "code"), [(True, 1), (False, 3)])
def test_a_bundle_that_was_rejected_never_passes_though_nothing_diverges_now(kexport, reference, ran, code):
    report = json.loads((reference / "report.json").read_text())
    check = next(each for each in report["checks"] if each["kind"] == "parity" and each["runtime"] == "saved_model")
    check.update(passed=False, ran=ran, detail="it went wrong", facts=["it went wrong"])
    (reference / "report.json").write_text(json.dumps(report))
    result = kexport("localise", reference, "--runtime", "onnxruntime")
    assert result.returncode == code, result.stderr
    assert "does not diverge" in result.stdout
    said = " ".join(result.stdout.split())
    assert f"{'failed: ' if ran else ''}parity saved_model in saved_model: output" in said
    assert "it went wrong" in said
