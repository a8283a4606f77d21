"""Promises in reports: named in full where readers tell them apart, in short where people read them."""

import io
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from conftest import REFERENCE
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Measurement, Report, Subject
from kexport.contracts import LowPass, kinds
from kexport.reports import draw_responses, github, junit, short_contract, terminal
from kexport.testing.failure_text import failure_text

TAPS = [0.1 + 0.001 * index for index in range(31)]
FILTER = f"linear_time_invariant(taps={TAPS}, advance=15)"
LOW = LowPass(29.35, 60.39, 1.0, 52.89, 360.0)
TEXT = kinds.text(LOW)


def made(contract, runtime="onnxruntime", output="filtered", unit="dB", metrics=MappingProxyType({})):
    subject = Subject("model.onnx", runtime, output, contract)
    return Check(CheckKind.CONTRACT, True, subject, Measurement(-52.896, -52.882, unit), metrics=metrics)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("bounded(low=0, high=1)", "bounded(low=0, high=1)"),
        ("finite()", "finite()"),
        (TEXT, "low_pass(29.35, 60.39, 1, 52.89, 360)"),
        (FILTER, "linear_time_invariant([31 numbers], 15)"),
        (f"satisfies(A={[[0.25] * 9] * 3}, b=[1.0, 2.0, 3.0])", "satisfies(A=[27 numbers], b=[1.0, 2.0, 3.0])"),
        (f"many({', '.join(f'p{n}=1234.5' for n in range(9))})", "many(1234.5, 1234.5, 1234.5, 1234.5, ...)"),
        ("no call at all", "no call at all"),
    ],
)
def test_a_promise_in_short_fits_and_cuts_no_number(text, short):
    assert short_contract(text, 44) == short
    assert len(short) <= 44


def names(*contracts):
    root = ElementTree.fromstring(junit.render(Report("b", tuple(map(made, contracts)))))
    return [name for case in root.iter("testcase") if (name := str(case.get("name"))) != "parity"]


def test_a_case_of_junit_has_the_whole_promise_for_its_name_with_long_lists_counted():
    assert names(TEXT, FILTER) == [
        f"contract {TEXT} model.onnx filtered",
        "contract linear_time_invariant(taps=[31 numbers], advance=15) model.onnx filtered",
    ]


def test_two_promises_that_differ_have_different_names_in_junit():
    other = FILTER.replace("0.1,", "0.2,")
    assert other != FILTER
    near = kinds.text(replace(LOW, sample_rate=361.0))
    found = names(FILTER, other, TEXT, near)
    assert len(set(found)) == 4
    assert not any(re.search(r"\(\d+\)$", name) for name in found)


def test_the_table_of_promises_stays_within_120_columns_and_shows_the_margin():
    bundle = Bundle.open(REFERENCE / "lowpass")
    checks = [made(TEXT), made(TEXT, runtime="litert_reference"), made(FILTER, unit="from the filtered input")]
    stream = io.StringIO()
    terminal.show(Report("b", (*checks, made("bounded(low=0, high=1)"))), bundle, stream)
    said = stream.getvalue()
    assert max(map(len, said.splitlines())) <= 120
    promise = "promise: low_pass(pass_band=29.35, stop_band=60.39, ripple=1, attenuation=52.89, sample_rate=360), dB"
    lines = said.splitlines()
    assert [line.split() for line in lines[lines.index(promise) + 1 :][:3]] == [
        ["verdict", "runtime", "figure", "limit"],
        ["pass", "onnxruntime", "-52.90", "-52.88"],
        ["pass", "litert_reference", "-52.90", "-52.88"],
    ]
    assert "-52.90 | -52.88 | dB" in github.markdown(Report("b", tuple(checks)))


def made_twice(monkeypatch, tmp_path, checks, *promised):
    """What was drawn: the labels and numbers of the curves, for each picture."""
    from matplotlib.axes import Axes

    curves = []
    monkeypatch.setattr(Axes, "plot", lambda axes, x, y, **options: curves.append((options["label"], list(y))))
    bundle: Any = SimpleNamespace(manifest=SimpleNamespace(contracts=promised))
    drawn = draw_responses(Report("b", tuple(checks)), bundle, tmp_path)
    return [path.name for path in drawn], curves


@pytest.mark.filterwarnings("ignore:No artists with labels")
def test_each_low_pass_promise_is_drawn_with_its_own_measurements_as_they_are(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    other = replace(LOW, pass_band=20.0)
    entries = [kinds.entry_of(each, ["signal"], ["filtered"]) for each in (LOW, other)]
    checks = [
        made(kinds.text(each), runtime=runtime, metrics={"frequencies_hz": [0.0, 90.0], "response_db": [0.0, gain]})
        for each, runtime, gain in ((LOW, "litert", -300.0), (other, "onnxruntime", -55.0))
    ]
    drawn, curves = made_twice(monkeypatch, tmp_path, checks, *entries)
    assert drawn == ["b-filtered.png", "b-filtered-2.png"]
    assert curves == [("litert", [0.0, -300.0]), ("onnxruntime", [0.0, -55.0])], "nothing is cut, nothing is mixed"


def test_a_low_pass_promise_that_was_not_measured_is_not_drawn(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    entry = kinds.entry_of(LOW, ["signal"], ["filtered"])
    elsewhere = made(TEXT, output="other", metrics={"frequencies_hz": [0.0], "response_db": [0.0]})
    assert made_twice(monkeypatch, tmp_path, [made(TEXT), elsewhere], entry) == ([], [])


def test_a_failed_assertion_names_the_promise_and_sends_nobody_to_the_layers(tmp_path):
    broken = replace(made(TEXT), passed=False, facts=("layer filtered promised that it keeps lows", "x = [1]"))
    said = failure_text(Report("b", (broken,)), tmp_path)
    assert "low_pass(29.35, 60.39, 1, 52.89, 360)" in said
    assert "layer filtered promised that it keeps lows" in said
    assert "kexport verify" in said
    assert "localise" not in said
    subject, measured = Subject("model.onnx", "onnxruntime", "filtered"), Measurement(1.0, 0.5, "of output scale")
    parity = Check(CheckKind.PARITY, False, subject, measured, ("far",))
    assert "localise" in failure_text(Report("b", (broken, parity)), tmp_path)
