"""A search finds what the goldens do not, says who is wrong, and keeps the input."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

import kexport
from conftest import REFERENCE
from kexport.bundle import manifest, witnesses
from kexport.field.search import Conditioning
from kexport.field.workers import RestartingWorker
from onnx_faults import (
    constant,
    describe,
    first_sample_only,
    light,
    misfire,
    nan_becomes_zero,
    node,
    plant,
    put_behind,
    weight_off,
)

SOUND = {"litert", "litert_reference"}
EVERY = {"onnxruntime", *SOUND}
EVALUATIONS = "20000"


class Filter:
    """What is true of the reference bundle: the mean of five steps, zeros around."""

    name, session, accumulation_factor = "truth", None, 0.0

    def __init__(self):
        self.samples = 0

    def outputs(self, feeds):
        self.samples += len(feeds["signal"])
        padded = np.pad(feeds["signal"].astype("float64"), [(0, 0), (2, 2)])
        return {"filtered": np.lib.stride_tricks.sliding_window_view(padded, 5, axis=1).mean(axis=-1)}

    def conditioning(self, feeds, rng, candidate=None):
        truth = self.outputs(feeds)
        still = {name: np.zeros(value.shape, "float32") for name, value in truth.items()}
        own = {name: value.astype("float32") for name, value in truth.items()}
        return Conditioning(truth, still, still, own)


@pytest.fixture
def bundle(tmp_path):
    return light(REFERENCE / "lowpass", tmp_path / "lowpass")


def redomained(bundle: Path, domain: str) -> Path:
    """The bundle with another domain."""
    path = bundle / manifest.FILE_NAME
    content = json.loads(path.read_text())
    content["domains"] = dict.fromkeys(content["domains"], domain)
    path.write_text(json.dumps(content))
    return bundle


def heal(bundle: Path) -> Path:
    for format_name in ("onnx", "tflite"):
        shutil.copy(REFERENCE / bundle.name / f"model.{format_name}", bundle)
        describe(bundle, format_name, f"model.{format_name}")
    return bundle


def of_kind(report, kind):
    return {check.runtime: check for check in report.checks if check.kind == kind}


def wrong(report, kind="search"):
    return {name for name, check in of_kind(report, kind).items() if check.ran and not check.passed}


FAULTS = {
    "a weight off": weight_off(1e-3),
    "a misfire in 1 of 10000": misfire(1.2345, 5e-4),
    "the first sample only": first_sample_only,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_against_the_truth_and_its_input_is_kept_until_it_is_healed(bundle, fault):
    plant(bundle, FAULTS[fault])
    found = kexport.verify(bundle, search=EVALUATIONS, truth=Filter())
    assert wrong(found) == {"onnxruntime"}
    assert set(of_kind(found, "search")) == EVERY
    assert found.exit_code == 1
    check = of_kind(found, "search")["onnxruntime"]
    assert "filtered: " in check.detail
    assert check.metrics["witness"] in check.detail
    assert check.figure > 1
    (path,) = witnesses.paths(bundle)
    again = kexport.verify(bundle)
    assert wrong(again, "witness") == {"onnxruntime"}
    assert set(of_kind(again, "witness")) == EVERY
    assert path in of_kind(again, "witness")["onnxruntime"].detail
    healed = kexport.verify(heal(bundle))
    assert healed.passed
    assert set(of_kind(healed, "witness")) == EVERY


def test_the_input_is_made_plain(bundle):
    plant(bundle, misfire(1.2345, 5e-4))
    kexport.verify(bundle, search=EVALUATIONS, truth=Filter())
    ((_, witness),) = witnesses.stream(bundle, kexport.Bundle.open(bundle).signature)
    signal = witness.golden.inputs["signal"]
    assert len(signal) == 1
    assert np.count_nonzero(signal) == 1
    assert not witness.before
    np.testing.assert_array_equal(witness.golden.truth["filtered"], Filter().outputs({"signal": signal})["filtered"])


def test_a_batch_is_kept_where_one_sample_is_right_and_two_are_enough(bundle):
    plant(bundle, first_sample_only)
    kexport.verify(bundle, search="2000", truth=Filter())
    ((_, witness),) = witnesses.stream(bundle, kexport.Bundle.open(bundle).signature)
    assert len(witness.golden.inputs["signal"]) == 2


def test_nan_that_is_swallowed_is_found_without_a_truth(tmp_path):
    bundle = light(REFERENCE / "scaled", tmp_path / "scaled")  # XNNPACK's convolutions carry NaN to other places
    plant(redomained(bundle, "choice(0.0, 1.0, nan)"), nan_becomes_zero)
    assert kexport.verify(bundle).passed, "no golden has NaN"
    found = kexport.verify(bundle, search="5000")
    assert found.exit_code == 1
    assert "NaN" in of_kind(found, "search")["onnxruntime"].detail
    assert "onnxruntime" in wrong(kexport.verify(bundle), "witness")
    assert kexport.verify(heal(bundle)).passed


def test_without_a_truth_what_failed_on_the_goldens_is_the_wrong_one(bundle):
    plant(bundle, weight_off(1e-3))
    found = kexport.verify(bundle, search="2000")
    assert wrong(found, "parity") == {"onnxruntime"}
    assert wrong(found) == {"onnxruntime"}
    assert "onnxruntime differs, and is the one at fault" in of_kind(found, "search")["litert"].detail
    assert of_kind(found, "search")["litert"].metrics["partners"] == ["litert_reference", "onnxruntime"]


def move_tflite_weight(bundle: Path) -> None:
    """A weight of the TFLite file off by a thousandth."""
    import onnx

    graph = onnx.load(bundle / "model.onnx").graph
    arrays = [onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer if tensor.data_type == 1]
    taps = max(arrays, key=lambda array: array.size).ravel()
    content = (bundle / "model.tflite").read_bytes()
    assert content.count(taps.tobytes()) == 1
    moved = taps.copy()
    moved[3] *= 1.001
    (bundle / "model.tflite").write_bytes(content.replace(taps.tobytes(), moved.tobytes()))
    describe(bundle, "tflite", "model.tflite")


def test_the_truth_of_a_witness_is_that_of_the_right_side_whichever_comes_first(bundle):
    move_tflite_weight(bundle)
    found = kexport.verify(bundle, search="2000")
    assert wrong(found) == SOUND
    ((_, witness),) = witnesses.stream(bundle, kexport.Bundle.open(bundle).signature)
    assert witness.reference == "onnxruntime"
    again = kexport.verify(bundle)
    assert wrong(again, "witness") == SOUND
    assert "onnxruntime" not in of_kind(again, "witness")
    for name in SOUND:  # what was found is told from its own side
        value, _, truth = of_kind(found, "search")[name].detail.partition("element ")[2].partition(" instead of ")
        assert abs(float(value.split()[-1])) > abs(float(truth.split(";")[0]))
    assert kexport.verify(heal(bundle)).passed


def test_two_formats_that_agree_on_the_goldens_are_both_blamed(bundle):
    plant(bundle, misfire(1.2345, 5e-4))
    assert kexport.verify(bundle).passed
    found = kexport.verify(bundle, search=EVALUATIONS)
    assert wrong(found) == EVERY


def test_a_truth_taken_from_an_artifact_that_is_gone_is_no_evidence(bundle):
    plant(bundle, misfire(1.2345, 5e-4))
    kexport.verify(bundle, search=EVALUATIONS)
    ((_, witness),) = witnesses.stream(bundle, kexport.Bundle.open(bundle).signature)
    assert witness.reference in SOUND
    (bundle / "model.tflite").write_bytes((bundle / "model.tflite").read_bytes() + bytes(4))
    describe(bundle, "tflite", "model.tflite")
    report = kexport.verify(bundle)
    assert report.exit_code == 3
    check = of_kind(report, "witness")["onnxruntime"]
    assert not check.ran
    assert "no longer in the bundle" in check.detail
    assert "search again" in check.detail


def test_a_third_format_tells_which_of_two_is_wrong(reference):
    plant(reference, misfire(1.2345, 5e-4))
    found = kexport.verify(reference, ["onnxruntime", "litert", "saved_model"], search=EVALUATIONS)
    assert wrong(found) == {"onnxruntime"}
    assert {"keras", "litert_reference"} <= set(of_kind(found, "search")["onnxruntime"].metrics["partners"])
    assert set(of_kind(found, "search")) == {"onnxruntime", "litert", "saved_model"}
    assert wrong(kexport.verify(reference, ["onnxruntime", "litert"]), "witness") == {"onnxruntime"}


@pytest.mark.parametrize("layer", ["FirstLength", "LastMean"])
def test_what_is_remembered_from_an_earlier_call_is_found_and_its_witness_makes_that_call(bundle, layer):
    import remembering

    remembering.write_tflite(getattr(remembering, layer), bundle / "model.tflite")
    describe(bundle, "tflite", "model.tflite")
    found = kexport.verify(bundle, search="5000", truth=Filter())
    assert wrong(found) == SOUND
    for _, witness in witnesses.stream(bundle, kexport.Bundle.open(bundle).signature):
        assert witness.before
        if layer == "FirstLength":
            assert witness.before[0]["signal"].shape[1] < witness.golden.inputs["signal"].shape[1]
    assert wrong(kexport.verify(bundle), "witness") == SOUND
    assert kexport.verify(heal(bundle)).passed


@pytest.mark.parametrize("truth", [None, Filter])
def test_what_is_healthy_is_found_healthy(bundle, truth):
    report = kexport.verify(bundle, search="3000", truth=truth and truth())
    assert report.passed
    checks = of_kind(report, "search")
    assert set(checks) == EVERY
    assert all(0 < check.figure < 1 for check in checks.values())
    assert all(check.metrics["evaluations"] == 3000 for check in checks.values())


def test_the_worst_input_of_a_healthy_bundle_is_kept_where_the_truth_is_known(bundle):
    kexport.verify(bundle, search="3000", truth=Filter())
    ((_, witness),) = witnesses.stream(bundle, kexport.Bundle.open(bundle).signature)
    assert witness.reference == "truth"
    again = kexport.verify(bundle)
    assert again.passed
    assert set(of_kind(again, "witness")) == EVERY


@pytest.mark.parametrize("truth", [None, Filter])
def test_the_same_seed_finds_the_same(tmp_path, truth):
    results = []
    for name in ("one", "two"):
        bundle = plant(light(REFERENCE / "lowpass", tmp_path / name), misfire(1.2345, 5e-4))
        report = kexport.verify(bundle, search=EVALUATIONS, truth=truth and truth())
        checks = [
            (c.runtime, c.figure, c.detail, {k: v for k, v in c.metrics.items() if k != "seconds"})
            for c in report.checks
            if c.kind == "search"
        ]
        files = {path: (bundle / path).read_bytes() for path in witnesses.paths(bundle)}
        results.append((checks, files))
    assert results[0] == results[1]
    assert results[0][1]


def test_never_more_evaluations_than_the_budget_has(bundle):
    for count in (1, 100, 1000):
        truth = Filter()
        report = kexport.verify(bundle, ["onnxruntime"], search=str(count), truth=truth)
        assert of_kind(report, "search")["onnxruntime"].metrics["evaluations"] == count
        assert truth.samples - count <= 1, "but for the one sample that is kept"


def test_a_time_is_kept_to(bundle):
    report = kexport.verify(bundle, search="0.5s")
    assert all(0.5 <= check.metrics["seconds"] < 2 for check in of_kind(report, "search").values())


def test_without_a_partner_nothing_can_be_searched(tmp_path):
    bundle = light(REFERENCE / "lowpass", tmp_path / "lowpass", "onnx")
    report = kexport.verify(bundle, search="1000")
    assert report.exit_code == 3
    check = of_kind(report, "search")["onnxruntime"]
    assert not check.ran
    assert "nothing to compare it with" in check.detail


def test_a_stateful_model_is_not_searched_and_the_check_says_so(bundle):
    path = bundle / manifest.FILE_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), "stateful": True}))
    report = kexport.verify(bundle, search="1000")
    assert report.exit_code == 3
    assert all("keeps state" in check.detail for check in of_kind(report, "search").values())
    assert set(of_kind(report, "search")) == EVERY


def test_where_witnesses_cannot_be_kept_the_check_says_so(bundle):
    plant(bundle, weight_off(1e-3))
    (bundle / "witnesses").write_text("in the way")
    report = kexport.verify(bundle, search="2000", truth=Filter())
    check = of_kind(report, "search")["onnxruntime"]
    assert "the input could not be kept in the bundle" in check.detail
    assert "kept in witnesses/" not in check.detail
    assert wrong(report) == {"onnxruntime"}


def raising(graph):
    """An element within a thousandth of 1.2345 makes the runtime raise; no golden has one."""
    put_behind(
        graph,
        lambda source, healthy, out: [
            node("Sub", [source, constant(graph, 1.2345)], "from"),
            node("Abs", ["from"], "apart"),
            node("ReduceMin", ["apart"], "nearest", keepdims=0),
            node("Less", ["nearest", constant(graph, 1e-3)], "beyond"),
            node("Cast", ["beyond"], "index", to=7),
            node("Gather", [constant(graph, [0.0]), "index"], "nothing"),
            node("Add", [healthy, "nothing"], out),
        ],
    )


@pytest.mark.parametrize("truth", [None, Filter])
def test_an_input_on_which_a_runtime_raises_is_kept_and_no_other_runtime_is_blamed(bundle, truth):
    plant(bundle, raising)
    assert kexport.verify(bundle).passed
    found = kexport.verify(bundle, search=EVALUATIONS, truth=truth and truth())
    assert wrong(found) == {"onnxruntime"}
    assert all(of_kind(found, "search")[name].passed for name in SOUND)
    assert "onnxruntime fails on" in of_kind(found, "search")["onnxruntime"].detail
    again = kexport.verify(bundle)
    assert wrong(again, "witness") == {"onnxruntime"}
    assert witnesses.paths(bundle)[0] in of_kind(again, "witness")["onnxruntime"].detail
    assert kexport.verify(heal(bundle)).passed


class Killer(Filter):
    """Kills the process of a runtime again and again, whatever it is doing."""

    def __init__(self, victim, times):
        super().__init__()
        self.victim, self.times = victim, times

    def outputs(self, feeds):
        if self.times:
            self.times -= 1
            os.kill(self.victim(), 9)
        return super().outputs(feeds)


def test_a_process_that_is_killed_once_is_started_again_and_its_runtimes_run_again(bundle, monkeypatch):
    lanes = []
    made = RestartingWorker.__init__

    def noted(self, *arguments, **options):
        made(self, *arguments, **options)
        lanes.append(self)

    monkeypatch.setattr(RestartingWorker, "__init__", noted)
    victim = lambda: next(lane for lane in lanes if lane._module == "ai_edge_litert").worker._process.pid  # noqa: E731
    report = kexport.verify(bundle, search="2000", truth=Killer(victim, 3))
    assert report.passed, report
    assert set(of_kind(report, "search")) == EVERY


def test_no_file_is_left_in_memory(bundle, monkeypatch):
    made, folders = tempfile.mkdtemp, []

    def noted(*arguments, **options):
        folders.append(Path(made(*arguments, **options)))
        return str(folders[-1])

    monkeypatch.setattr(tempfile, "mkdtemp", noted)
    kexport.verify(bundle, search="500")
    assert folders
    assert all(folder.name.startswith("kexport-") and not folder.exists() for folder in folders)
