"""Checks and reports as JSON: flat for readers, whole for the process that asked, and old files open for ever."""

import json

import pytest

from conftest import REFERENCE
from kexport.bundle.facts import IDENTICAL, FactCode, RuntimeNote
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Measurement, Report, Subject
from kexport.field.verification import required_runtimes

KEYS = ["kind", "passed", "artifact", "runtime", "output", "figure", "limit", "unit", "detail", "ran", "metrics"]
CHECK = Check(
    CheckKind.PARITY, True, Subject("model.onnx", "onnxruntime", "y", "finite()"), Measurement(0.25, 0.5, "dB"),
    ("worst: x", IDENTICAL, "a; b"), metrics={"ulp": 1.5},
)  # fmt: skip


def test_a_check_survives_json_with_its_facts():
    assert Check.from_json(json.loads(json.dumps(CHECK.to_json()))) == CHECK


def test_the_entry_of_a_check_is_flat_and_its_detail_is_all_facts_in_one_text():
    entry = json.loads(json.dumps(CHECK.to_json()))
    assert list(entry)[: len(KEYS)] == KEYS
    assert (entry["kind"], entry["artifact"], entry["figure"]) == ("parity", "model.onnx", 0.25)
    assert entry["detail"] == "worst: x; identical; a; b"


def test_an_entry_without_facts_has_its_detail_for_the_only_one():
    entry = json.loads(json.dumps({key: value for key, value in CHECK.to_json().items() if key != "facts"}))
    assert Check.from_json(entry).facts == ("worst: x; identical; a; b",)
    assert Check.from_json({**entry, "detail": ""}).facts == ()


def test_the_reports_of_the_reference_bundles_open():
    for path in sorted(REFERENCE.iterdir()):
        stored = json.loads((path / "report.json").read_text(encoding="utf-8"))
        report = Bundle.open(path).report
        assert [check.detail for check in report.checks] == [entry["detail"] for entry in stored["checks"]]
        assert report.passed


def test_code_asks_for_the_code_of_a_fact_and_not_for_its_words():
    assert CHECK.states(FactCode.IDENTICAL)
    assert not Check.success(CheckKind.PARITY, Subject(), "identical").states(FactCode.IDENTICAL)


@pytest.mark.parametrize("kind", CheckKind)
def test_a_kind_is_its_text_wherever_it_is_written(kind):
    assert f"{kind}" == str(kind) == kind.value == json.loads(json.dumps(kind)) == kind


def test_a_required_runtime_takes_the_place_of_its_note_and_of_no_other():
    note, other = RuntimeNote("litert", "was left out: not installed"), RuntimeNote("keras", "was left out: slow")
    report = Report("b", (), (note, other, "litert was left out of this text"))
    required = required_runtimes.require(report, Bundle.open(REFERENCE / "lowpass"), ["litert"])
    assert required.notes == (other, "litert was left out of this text")
    assert [check.runtime for check in required.checks] == ["litert"]
    assert required.to_json()["notes"] == ["keras was left out: slow", "litert was left out of this text"]


def test_a_code_that_only_a_later_version_knows_is_read_as_text():
    data = {**json.loads(json.dumps(CHECK.to_json())), "facts": ["plain", {"code": "of next year", "text": "news"}]}
    assert Check.from_json(data).facts == ("plain", "news")
