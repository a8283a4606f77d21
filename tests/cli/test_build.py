import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import kexport as package
from kexport.bundle.store import staging


def test_a_build_writes_every_file_and_says_so_in_one_table(built):
    folder, result = built
    assert result.returncode == 0, result.stderr
    files = sorted(path.name for path in (folder / "artifacts" / "lowpass").iterdir())
    assert files == [
        "goldens.npz", "manifest.json", "model.keras", "model.onnx", "model.tflite", "report.json", "saved_model"
    ]  # fmt: skip
    for runtime in ("keras", "saved_model", "onnxruntime", "litert", "litert_reference"):
        assert re.search(rf"^pass .* {runtime} +\d\.\de-\d\d ", result.stdout, re.MULTILINE), result.stdout
    assert [path.name for path in folder.iterdir()] == ["artifacts"]
    assert [path.name for path in (folder / "artifacts").iterdir()] == ["lowpass"]


def test_a_good_build_prints_our_lines_only(built):
    _, result = built
    known = ("reading", "importing", "loading", "tracing", "judging", "writing", "computing", "looking", "checking")
    assert all(line.startswith(known) for line in result.stderr.splitlines()), result.stderr


def test_the_manifest_tells_nothing_of_time_user_host_or_place(built):
    folder, _ = built
    bundle = folder / "artifacts" / "lowpass"
    for path in bundle.rglob("*"):
        if path.is_file():
            assert str(folder).encode() not in path.read_bytes(), path
            assert str(Path.home()).encode() not in path.read_bytes(), path
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert set(manifest["provenance"]) <= {
        "kexport", "python", "tensorflow", "tensorflow-cpu", "keras", "tf2onnx", "onnx", "numpy", "opset"
    }  # fmt: skip
    assert manifest["signature"]["inputs"] == [{"name": "signal", "dtype": "float32", "shape": [None, None]}]
    assert manifest["signature"]["outputs"] == [{"name": "filtered", "dtype": "float32", "shape": [None, None]}]


def test_every_format_filters_the_known_series_rightly(built):
    folder, _ = built
    series = np.array([[1, 2, 3, 4, 5, 4, 3, 2, 1, 0]], "float32")
    padded = np.pad(series.astype("float64"), [(0, 0), (2, 2)])
    expected = np.mean([padded[:, k : k + 10] for k in range(5)], axis=0)
    for runtime in ("onnxruntime", "litert", "litert_reference"):
        model = package.load(folder / "artifacts" / "lowpass", runtime)
        np.testing.assert_array_max_ulp(model(series), expected.astype("float32"), maxulp=4)


def test_json_leaves_standard_output_to_the_json(kexport, tmp_path):
    result = kexport("build", "--model", "scaled", "--formats", "onnx", "--out", "here", "--json")
    report = json.loads(result.stdout)
    assert result.returncode == 0
    assert report["schema"] == 2
    assert report["passed"] is True
    assert {check["kind"] for check in report["checks"]} == {
        "model",
        "adequacy",
        "digest",
        "signature",
        "parity",
        "contract",
    }
    assert "pass" in result.stderr
    assert json.loads((tmp_path / "here" / "report.json").read_text()) == report


def test_a_second_build_replaces_the_bundle_and_a_declared_domain_is_recorded(kexport, tmp_path):
    for low in (-3, -4):
        result = kexport(
            "build", "--model", "scaled", "--formats", "onnx", "--out", "b", "--domain", f"features=uniform({low}, 2)"
        )
        assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "b" / "manifest.json").read_text())["domains"] == {"features": "uniform(-4, 2)"}
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_an_undeclared_domain_is_a_stated_default_in_the_report(kexport, tmp_path):
    import keras

    tokens = keras.Input((None,), dtype="int32", name="tokens")
    keras.Model(tokens, keras.layers.Embedding(7, 3, name="vectors")(tokens)).save(tmp_path / "m.keras")
    result = kexport("build", "--model", "m.keras", "--formats", "onnx", "--json")
    assert result.returncode == 0, result.stderr
    notes = " ".join(json.loads(result.stdout)["notes"])
    assert "tokens" in notes
    assert "ints(0, 7)" in notes
    assert "input_dim" in notes


@pytest.mark.parametrize("moment", ["importing", "writing onnx"])
def test_ctrl_c_ends_a_build_with_130_and_leaves_the_old_bundle(reference, tmp_path, moment):
    before = {path: path.read_bytes() for path in reference.rglob("*") if path.is_file()}
    process = subprocess.Popen(
        [sys.executable, "-m", "kexport", "build", "--model", "lowpass", "--out", str(reference)],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    for line in process.stderr:
        if line.startswith(moment):
            break
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
    assert out == ""
    assert {path: path.read_bytes() for path in reference.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == [reference.name]


def test_a_killed_build_leaves_the_old_bundle_and_the_next_one_cleans_up(reference, tmp_path, kexport):
    process = subprocess.Popen(
        [sys.executable, "-m", "kexport", "build", "--model", "lowpass", "--out", str(reference)],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stderr:
        if line.startswith("importing"):
            break
    process.kill()
    process.wait()
    process.stderr.close()
    assert package.load(reference, "onnxruntime")
    deadline = time.monotonic() + 30
    with staging(reference) as folder:
        assert [path.name for path in tmp_path.glob(".*.building")] == [folder.name]
    assert time.monotonic() < deadline


def test_two_builds_of_one_bundle_at_once_are_refused(kexport, tmp_path):
    with staging(tmp_path / "b"):
        result = kexport("build", "--model", "lowpass", "--out", "b")
    assert result.returncode == 2
    assert "being built by another process" in result.stderr


def test_a_failed_check_writes_to_rejected_and_exits_1(kexport, tmp_path):
    (tmp_path / "layers.py").write_text(
        "import keras\n"
        "@keras.saving.register_keras_serializable(package='mine')\n"
        "class Forgetful(keras.layers.Layer):\n"
        "    factor = 1.0  # not in get_config: lost when the file is reloaded\n"
        "    def call(self, x):\n"
        "        return x * self.factor\n"
        "    def build_from_config(self, config):\n"
        "        self.factor = self.factor + 1.0 if self.built else 3.0\n"
    )
    script = (
        "import keras, kexport, layers\n"
        "x = keras.Input((3,), name='x')\n"
        "layer = layers.Forgetful(name='y')\n"
        "layer.factor = 2.0\n"
        "model = keras.Model(x, layer(x))\n"
        "bundle = kexport.build(model, 'out', formats=['keras', 'onnx'])\n"
        "assert not bundle.passed and bundle.path.name == 'out.rejected', bundle.path\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "out").exists()
    report = json.loads((tmp_path / "out.rejected" / "report.json").read_text())
    assert [c["runtime"] for c in report["checks"] if not c["passed"]] == ["keras"]
    verified = kexport("verify", "out.rejected", "--runtime", "keras", "--import", "layers.py")
    assert verified.returncode == 1
    assert "FAIL" in verified.stdout


def test_the_model_needs_no_option(kexport, tmp_path):
    result = kexport("build", "scaled", "--formats", "onnx", "--out", "here")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "here" / "model.onnx").exists()
    for given, words in (((), "no model to build was named"), (("scaled", "--model", "lowpass"), "said twice")):
        result = kexport("build", *given, "--out", "there")
        assert result.returncode == 2
        assert words in result.stderr
        assert not (tmp_path / "there").exists()
