"""Latency: pairs of calls in one process, and the noise of their median."""

import time
from dataclasses import replace

import numpy as np

from kexport.bundle.budgets import Budgets
from kexport.bundle.folder import Bundle
from kexport.field.budgets import budget_checks, latency


def test_the_interval_of_a_median_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        low, high = latency.median_interval(rng.exponential(size=41))
        covered += low <= np.log(2) <= high
    assert 940 <= covered <= 985


def test_calls_are_timed_in_turns(monkeypatch):
    order = []

    def call(name, path, signature, inputs):
        def run():
            order.append(path.name)
            time.sleep(2e-4 if path.name == "wide" else 4e-4)

        return run

    monkeypatch.setattr(latency, "_call", call)
    monkeypatch.setattr(latency, "_SECONDS", 0.1)
    monkeypatch.setattr(latency, "_MOST_SECONDS", 0.5)
    monkeypatch.setattr(np, "load", lambda *args, **options: _Stored())
    signature = {"inputs": [], "outputs": []}
    (far,) = latency.serve(["wide", "small"], "", signature, "feeds.npz", limit=1.0, relative=True)
    measured = order[-2 * len(far["wide"]) :]
    pairs = {tuple(measured[start : start + 2]) for start in range(0, len(measured), 2)}
    assert pairs == {("wide", "small"), ("small", "wide")}
    ratio = np.median(np.array(far["small"]) / far["wide"])
    assert 1.5 < ratio < 2.1


def test_more_pairs_are_timed_only_where_the_limit_lies_within_the_noise():
    times = ([1.0] * 51, [*np.linspace(0.4, 0.6, 51)])
    assert not latency._enough(times, 0.5, 2.0, relative=True)
    assert latency._enough(times, 1.5, 2.0, relative=True)
    assert not latency._enough(times, 1.5, 0.5, relative=True)
    assert latency._enough(times, 5.5, 0.5, relative=True)
    assert not latency._enough(([1.0] * 9, [0.5] * 9), 5.5, 2.0, relative=True)


class _Stored(dict):
    files = ()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return None


def test_one_sample_of_the_largest_is_timed(reference):
    bundle = Bundle.open(reference)
    sample = latency.one_sample(bundle)
    longest = max(golden.inputs["signal"].shape[1] for golden in bundle.goldens())
    assert sample["signal"].shape == (1, longest)


def test_an_artifact_that_cannot_be_loaded_has_not_kept_its_budget(reference):
    bundle = Bundle.open(reference)
    wide = next(each for each in bundle.manifest.artifacts if each.format == "onnx")
    (reference / "other.onnx").write_bytes(b"\x00")
    broken = replace(wide, path="other.onnx", limits=bundle.manifest.limits)
    damaged = replace(bundle, manifest=replace(bundle.manifest, artifacts=(wide, broken)))
    (check,) = budget_checks(damaged, Budgets.of("latency=1x"), [])
    assert (check.passed, check.ran, check.artifact) == (False, False, "other.onnx")
    assert "no sound ONNX" in check.detail or "not a sound ONNX" in check.detail
