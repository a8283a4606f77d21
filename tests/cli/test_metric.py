"""`--metric` as it is typed: a classifier of digits with small precisions, and the gate on a spoilt one."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from conftest import run_kexport
from kexport.testing.closeness import assert_close

MODEL = """
import keras
import numpy as np
from sklearn.datasets import load_digits

def digits(clipped=False):
    keras.utils.set_random_seed(0)
    data = load_digits()
    image = keras.Input((64,), name="image")
    hidden = keras.layers.Dense(16, activation="relu", name="hidden")(image)
    model = keras.Model(image, keras.layers.Dense(10, activation="softmax", name="digit")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit((data.data / 16)[:1400], data.target[:1400], epochs=8, verbose=0)
    if clipped:
        layer = model.get_layer("digit")
        layer.set_weights([np.clip(each, -0.2, 0.2) for each in layer.get_weights()])
    return model
"""
ASKED = ("--samples", "digits.npz", "--labels", "digits.npz:label", "--metric", "accuracy")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A folder with the bundle `net`, what its build said, and the ONNX file of a model with clipped weights."""
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("digits")
    (folder / "net.py").write_text(MODEL)
    data = load_digits()
    np.savez(folder / "digits.npz", image=(data.data / 16)[1400:].astype("float32"), label=data.target[1400:])
    small = ("--precision", "int8", "--junit", "j.xml")
    built = run_kexport("build", "--model", "net.py:digits", "--out", "net", *small, *ASKED, cwd=folder)
    assert built.returncode == 0, built.stdout + built.stderr
    spoilt = ("--set", "clipped=True", "--formats", "onnx", "--out", "spoilt")
    worse = run_kexport("build", "--model", "net.py:digits", *spoilt, cwd=folder)
    assert worse.returncode in (0, 3), worse.stdout + worse.stderr
    return folder, built


def figures(report):
    return {(check["artifact"], check["runtime"]): check for check in report["checks"] if check["kind"] == "metric"}


def test_a_build_shows_the_metric_of_the_truth_and_of_every_artifact_in_every_runtime(digits):
    folder, built = digits
    report = json.loads((folder / "net" / "report.json").read_text())
    assert report["schema"] == 3
    found = figures(report)
    parity = {(check["artifact"], check["runtime"]) for check in report["checks"] if check["kind"] == "parity"}
    assert set(found) == {(None, "truth"), *parity}
    assert {"model.int8.tflite", "model.int8.onnx"} <= {artifact for artifact, _ in found}
    lines = built.stdout.splitlines()
    header = next(line for line in lines if "95 % interval" in line)
    assert header.split() == ["artifact", "runtime", "accuracy", "95", "%", "interval", "change"]
    rows = lines[lines.index(header) + 1 :]
    for (artifact, runtime), row in zip(found, rows, strict=False):
        assert row.split()[:3] == [artifact or "-", runtime, f"{found[artifact, runtime]['figure']:.2f}"]


def test_the_metric_is_that_of_the_outputs_of_the_artifact(digits):
    import kexport

    folder, _ = digits
    data, found = np.load(folder / "digits.npz"), figures(json.loads((folder / "net" / "report.json").read_text()))
    for precision, path in (("float32", "model.onnx"), ("int8", "model.int8.onnx")):
        with kexport.load(folder / "net", "onnxruntime", precision=precision) as model:
            share = (model(data["image"]).argmax(axis=1) == data["label"]).mean()
        check = found[path, "onnxruntime"]
        assert_close(check["figure"], 100 * share)
        assert (check["unit"], check["metrics"]["samples"]) == ("%", len(data["label"]))
        low, high = check["metrics"]["interval"]
        assert low < check["figure"] < high
    assert found["model.onnx", "onnxruntime"]["metrics"]["truth"]["figure"] == found[None, "truth"]["figure"]


def test_the_metric_stands_in_junit(digits):
    folder, _ = digits
    cases = {case.get("name"): case for case in ElementTree.parse(folder / "j.xml").iter("testcase")}
    told = cases["metric model.int8.tflite digit"].findtext("system-out")
    assert "figure: " in told
    assert "interval_method: Wilson score" in told


def test_a_bundle_is_evaluated_again_on_the_samples_that_it_keeps(digits, kexport):
    folder, _ = digits
    asked = ("--labels", folder / "digits.npz:label", "--metric", "f1", "--runtime", "litert", "--json")
    result = kexport("verify", folder / "net", *asked)
    assert result.returncode == 0, result.stderr
    assert set(figures(json.loads(result.stdout))) == {("model.tflite", "litert"), ("model.int8.tflite", "litert")}


def test_a_bundle_without_recorded_samples_has_no_metric(digits, kexport):
    folder, _ = digits
    result = kexport("verify", folder / "spoilt", "--labels", folder / "digits.npz:label", "--metric", "f1")
    assert result.returncode == 2
    assert "keeps no recorded samples" in result.stderr


def test_the_gate_is_green_on_a_small_precision_and_red_on_a_spoilt_model(digits, kexport):
    folder, _ = digits
    same = kexport("compare", "net", "net/model.int8.tflite", *ASKED, "--max-drop", "1", cwd=folder)
    assert same.returncode == 0, same.stdout + same.stderr
    spoilt = next(folder.glob("spoilt*")) / "model.onnx"
    red = kexport("compare", "net/model.onnx", spoilt, *ASKED, "--max-drop", "1", cwd=folder)
    assert red.returncode == 1, red.stdout + red.stderr
    lines = red.stdout.splitlines()
    assert lines[0].split() == ["accuracy", "95", "%", "interval", "model"]
    assert [line.split()[0] for line in lines[1:3]] == ["A", "B"]
    assert lines[3].startswith("FAIL B is worse by ")
    assert lines[3].endswith("1.00 points allowed")
    assert "rows from right to wrong: " in lines[4]
    assert all(len(line) <= 100 for line in lines[:5])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--metric", "accuracy"), "--metric needs labels"),
        (("--labels", "digits.npz:label"), "--labels needs a metric"),
        (("--metric", "accuracy", "--labels", "digits.npz:label"), "needs recorded samples"),
        (("--samples", "digits.npz", "--labels", "digits.npz", "--metric", "accuracy"), "the same file"),
        (("--samples", "digits.npz", "--labels", "digits.npz:label", "--metric", "mae"), "do not fit output"),
        (("--samples", "digits.npz", "--labels", "digits.npz:label", "--metric", "net.py:none"), "has no function"),
    ],
)
def test_a_wrong_request_ends_a_build_before_anything_is_written(digits, kexport, options, words):
    folder, _ = digits
    result = kexport("build", "--model", "net/model.keras", "--out", "new", *options, cwd=folder)
    assert result.returncode == 2, result.stdout + result.stderr
    assert words in result.stderr
    assert not list(folder.glob("new*"))


def test_metrics_are_listed(kexport):
    names = [line.split()[0] for line in kexport("list", "metrics").stdout.splitlines()]
    assert names == ["accuracy", "f1", "mae", "rmse", "top5"]
