"""Budgets of accuracy, size and latency: kept or missed by artifacts that are built, and told in every report."""

import json
import shutil
from xml.etree import ElementTree

import keras
import numpy as np
import pytest

import kexport
from conftest import run_kexport
from kexport.errors import UsageError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 16)).astype("float32")
TEACHER = RNG.normal(size=(16, 4)).astype("float32")


def network():
    """Classes that a teacher sees; logits so close that int8 confuses some."""
    keras.utils.set_random_seed(0)
    x = keras.Input((16,), name="x")
    y = keras.layers.Dense(4, use_bias=False, name="y")
    wide = keras.layers.Dense(200, activation="relu", name="wide")(x)
    model = keras.Model(x, y(wide))
    hidden = np.maximum(X @ model.layers[1].kernel.numpy() + model.layers[1].bias.numpy(), 0)
    target = X @ TEACHER
    y.kernel.assign(np.linalg.lstsq(hidden, target, rcond=None)[0])
    return model


LABELS = (X @ TEACHER).argmax(axis=1)


def build(folder, budget, **options):
    given = {"formats": ["onnx", "tflite"], "precision": "int8", "samples": X, "labels": LABELS, "metric": "accuracy"}
    return kexport.build(network(), folder, budget=budget, **{**given, **options})


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A bundle that meets some budgets and misses others."""
    return build(tmp_path_factory.mktemp("budgets") / "b", ["accuracy=-0%", "size=0.5x", "latency=0.00001x"])


def budgets_of(bundle, kind):
    checks = [check for check in bundle.report.checks if check.kind == "budget"]
    return [check for check in checks if check.metrics["budget"].startswith(kind)]


def test_size_is_judged_by_the_bytes_of_float32_in_the_same_format(judged):
    sizes = {(each.format, each.precision): each.bytes for each in judged.manifest.artifacts}
    found = budgets_of(judged, "size")
    assert [check.artifact for check in found] == ["model.int8.onnx", "model.int8.tflite"]
    for check in found:
        name = check.artifact.rpartition(".")[2]
        assert check.figure == sizes[name, "int8"] / sizes[name, "float32"]
        assert check.limit == 0.5
        assert check.passed == (check.figure <= 0.5)
        assert f"{sizes[name, 'int8']:,} bytes" in check.detail


def test_a_metric_is_judged_against_float32_in_every_runtime(judged):
    found = budgets_of(judged, "accuracy")
    places = {(check.artifact, check.runtime) for check in found}
    assert places == {
        ("model.int8.onnx", "onnxruntime"), ("model.int8.tflite", "litert"), ("model.int8.tflite", "litert_reference"),
    }  # fmt: skip
    figures = {
        (check.artifact, check.runtime): check.figure for check in judged.report.checks if check.kind == "metric"
    }
    for check in found:
        wide = figures[check.artifact.replace(".int8", ""), check.runtime]
        assert check.figure == wide - figures[check.artifact, check.runtime]
        assert check.passed == (check.figure <= 1e-4)
    assert any(not check.passed for check in found), "int8 confuses none of the classes: the test shows nothing"


def test_latency_is_judged_in_the_runtime_that_is_loaded_with_its_noise(judged):
    found = budgets_of(judged, "latency")
    assert [check.runtime for check in found] == ["onnxruntime", "litert"]
    for check in found:
        low, high = check.metrics["interval"]
        assert 0 < low <= check.figure <= high < 20
        assert not check.passed, "no call takes a hundred-thousandth"
        assert check.metrics["pairs"] >= 31
        assert "noise: 95 % interval" in check.detail
        assert "hint: " in check.detail


def test_a_missed_budget_rejects_the_bundle_and_is_in_every_report(judged, tmp_path):
    assert not judged.passed
    assert judged.path.name == "b.rejected"
    assert json.loads((judged.path / "report.json").read_text())["schema"] == 4
    from kexport.reports import junit

    cases = ElementTree.fromstring(junit.render(judged.report)).iter("testcase")
    failed = [case.get("name") for case in cases if case.find("failure") is not None]
    assert any(name.startswith("budget model.int8.tflite") for name in failed)


def again(bundle, **options):
    """The checks of budgets, and the notes on them, of a verification of its own."""
    report = kexport.verify(bundle.path, **options)
    found = {(check.metrics["budget"], check.artifact, check.runtime): check for check in report.checks if
             check.kind == "budget"}  # fmt: skip
    return found, [str(note) for note in report.notes if "at the build" in str(note)]


def test_the_manifest_has_every_budget_with_what_came_of_it(judged):
    sizes = {each.path: each.bytes for each in judged.manifest.artifacts}
    for artifact in judged.manifest.artifacts:
        if artifact.precision == "float32":
            assert artifact.budgets == ()
            continue
        metric, size, latency = artifact.budgets
        worst = max(check.figure for check in budgets_of(judged, "accuracy") if check.artifact == artifact.path)
        assert (metric.text, metric.figure, metric.unit) == ("accuracy=-0%", worst, "points")
        share = artifact.bytes / sizes[artifact.path.replace(".int8", "")]
        assert (size.text, size.passed, size.figure) == ("size=0.5x", share <= 0.5, share)
        assert (latency.text, latency.passed, latency.figure) == ("latency=0.00001x", False, None)


def test_a_verification_checks_again_what_it_can_and_tells_what_it_did_not(judged):
    found, notes = again(judged, runtimes=["litert"])
    assert [*found] == [("size=0.5x", "model.int8.tflite", None)]
    assert [note.partition(": ")[0] for note in notes] == ["model.int8.tflite"] * 2
    assert "accuracy=-0% missed (" in notes[0]
    assert "--metric accuracy" in notes[0]
    assert "latency=0.00001x missed" in notes[1]


def test_a_verification_of_all_budgets_measures_times_and_needs_the_labels(judged):
    labelled, notes = again(judged, runtimes=["litert"], budgets=True, labels=LABELS, metric="accuracy")
    assert not notes
    assert labelled["latency=0.00001x", "model.int8.tflite", "litert"].metrics["pairs"] >= 31
    (built,) = [c for c in budgets_of(judged, "accuracy") if (c.artifact, c.runtime) == ("model.int8.tflite", "litert")]
    assert labelled["accuracy=-0%", "model.int8.tflite", "litert"].figure == built.figure
    found, notes = again(judged, runtimes=["litert"], budgets=True)
    assert not notes
    assert not found["accuracy=-0%", "model.int8.tflite", None].ran


def test_a_budget_that_only_a_later_kexport_knows_is_not_checked(judged, tmp_path):
    folder = shutil.copytree(judged.path, tmp_path / "later")
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    small = [each for each in content["artifacts"] if "budgets" in each]
    for artifact in small:
        artifact["budgets"] = [{"budget": "energy=2mJ", "passed": True, "joules": 0.001}]
    path.write_text(json.dumps(content))
    report = kexport.verify(folder, runtimes=["litert"])
    (check,) = [check for check in report.checks if check.kind == "budget"]
    assert not check.ran
    assert "energy=2mJ" in check.detail


def test_all_budgets_of_a_bundle_without_one_cannot_be_checked(reference):
    report = kexport.verify(reference, runtimes=["litert"], budgets=True)
    assert report.exit_code == 3
    (check,) = [check for check in report.checks if check.kind == "budget"]
    assert "no artifact that is checked was built with a budget" in check.detail


def test_the_command_line_takes_several_budgets_and_shows_them(tmp_path):
    tight = run_kexport(
        "build", "lowpass", "--precision", "int8", "--formats", "tflite", "--budget", "size=2KB",
        "--budget", "latency=1s", "--budget", "sqnr=20dB", cwd=tmp_path,
    )  # fmt: skip
    assert tight.returncode == 1, tight.stdout
    lines = [line.split() for line in tight.stdout.splitlines()]
    row = next(line for line in lines if line[1:4] == ["model.int8.tflite", "-", "size=2KB"])
    assert row[0] == "FAIL"
    assert row[-2:] == ["2,000", "bytes"]
    assert next(line for line in lines if line[1:4] == ["model.int8.tflite", "litert", "latency=1s"])[0] == "pass"
    assert "expected: at most 2,000 bytes (size=2KB)" in tight.stdout
    assert "hint: " in tight.stdout
    shown = run_kexport("inspect", "artifacts/lowpass.rejected", cwd=tmp_path)
    (line,) = [line for line in shown.stdout.splitlines() if line.startswith("  budgets ")]
    assert "size=2KB missed (" in line
    assert "latency=1s kept" in line
    assert "sqnr=20dB kept (" in line


@pytest.mark.parametrize(
    ("budget", "options", "words"),
    [
        ("accuracy=-0.5%", {"labels": None, "metric": None}, "needs a metric"),
        ("f1=-0.5%", {}, "is of another metric"),
        ("accuracy=-0.5", {}, "has the wrong unit"),
        ("accuracy=+0.5%", {}, "asks for more than float32 gives"),
        ("size=1x", {"precision": "float32"}, "the budget 'size=1x' is of no artifact"),
        (["size=1x", "size=2KB"], {}, "given twice"),
    ],
)
def test_a_budget_that_says_nothing_is_refused_at_once(tmp_path, budget, options, words):
    with pytest.raises(UsageError, match=words):
        build(tmp_path / "b", budget, **options)
    assert not list(tmp_path.iterdir())


def test_the_smallest_that_keeps_all_budgets_is_chosen(tmp_path):
    plain = build(tmp_path / "plain", (), formats=["tflite"], precision="int8,dynamic,float16,int16x8")
    drops = {}
    for check in plain.report.checks:
        if check.kind == "metric" and check.artifact:
            drops[check.artifact] = min(drops.get(check.artifact, 100), check.figure)
    sizes = {each.path: each.bytes for each in plain.manifest.artifacts}
    most = drops["model.tflite"]
    able = [path for path, size in sizes.items() if drops[path] >= most - 1e-4 and size <= 0.6 * sizes["model.tflite"]]
    assert able
    assert "model.int8.tflite" not in able
    bundle = build(tmp_path / "b", ["accuracy=-0%", "size=0.6x"], formats=["tflite"], precision="auto")
    assert bundle.passed
    kept = [each.path for each in bundle.manifest.artifacts if each.limits]
    assert kept == [min(able, key=sizes.__getitem__)]
