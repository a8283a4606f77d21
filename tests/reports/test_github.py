"""Workflow commands and the job's summary: what GitHub reads as syntax is escaped, and nothing is green by silence."""

import re
from pathlib import PurePosixPath

import pytest

from kexport.bundle.report import Check, CheckKind, Measurement, Report, Subject
from kexport.reports import github

UNIT = "of output scale"
PASSED = Check(CheckKind.PARITY, True, Subject("model.onnx", "onnxruntime", "y"), Measurement(0.25, 0.5, UNIT))
FAILED = Check(
    CheckKind.PARITY, False, Subject("model.tflite", "litert", "y"), Measurement(0.75, 0.5, UNIT),
    ("element [0]: 1 instead of 2",),
)  # fmt: skip
UNMADE = Check.not_run(CheckKind.RUNTIME, Subject(runtime="litert_reference"), "not installed")


def parsed(text):
    """Commands as the runner of GitHub reads them: name, properties, message."""
    for line in text.split("\n"):
        name, properties, message = re.fullmatch(r"::(\w+)(?: ([^:]*))?::(.*)", line).groups()
        pairs = dict(pair.split("=", 1) for pair in properties.split(",")) if properties else {}
        yield name, {key: unescaped(value) for key, value in pairs.items()}, unescaped(message)


def unescaped(text):
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_a_failure_is_an_error_an_unmade_check_a_warning_and_the_summary_a_notice():
    report = Report("lowpass", (PASSED, FAILED, UNMADE))
    error, warning, notice = parsed(github.render(report, PurePosixPath("artifacts/lowpass")))
    assert error[0] == "error"
    assert error[1]["file"] == "artifacts/lowpass/model.tflite"
    assert "litert" in error[1]["title"]
    assert error[2].splitlines() == ["7.5e-01 of output scale, the limit is 5.0e-01", FAILED.detail]
    assert (warning[0], warning[2]) == ("warning", "not installed")
    assert warning[1]["file"] == "artifacts/lowpass/manifest.json"
    assert (notice[0], notice[2]) == ("notice", "lowpass: 3 checks, 1 failed, 1 could not be run")


def test_a_report_that_passed_is_one_notice():
    ((name, _, message),) = parsed(github.render(Report("lowpass", (PASSED,))))
    assert (name, message) == ("notice", "lowpass: 1 checks passed")


@pytest.mark.parametrize(
    "checks", [(), (Check.success(CheckKind.DIGEST, Subject("model.onnx")),)], ids=["no check", "digest alone"]
)
def test_a_report_that_compared_nothing_is_an_error(checks):
    error, notice = parsed(github.render(Report("lowpass", checks)))
    assert error[0] == "error"
    assert "nothing is proved" in error[2]
    assert "nothing is proved" in notice[2]
    assert "❌" in github.markdown(Report("lowpass", checks))


def test_no_text_of_a_bundle_gives_orders_to_github():
    wild = "50%,a:b\r\n::stop-commands::x%0A"
    report = Report(
        wild, (Check(CheckKind.PARITY, False, Subject(wild, wild, wild), Measurement(1.0, 1.0, "dB"), (wild,)),)
    )
    error, notice = parsed(github.render(report, PurePosixPath("folder, with: all%")))
    assert error[0] == "error"
    assert error[1]["file"] == f"folder, with: all%/{wild}"
    assert wild in error[2]
    assert notice[1]["title"] == f"kexport: {wild}"


def test_the_table_holds_every_check_those_that_did_not_pass_first():
    table = [line for line in github.markdown(Report("b", (PASSED, FAILED, UNMADE))).splitlines() if line[:1] == "|"]
    assert [line.split(" | ")[0] for line in table[2:]] == ["| **FAIL**", "| **not checked**", "| pass"]
    assert len({line.count(" | ") for line in [table[0], *table[2:]]}) == 1


def test_text_in_the_table_cannot_leave_its_cell():
    wild = Check(
        CheckKind.PARITY, False, Subject("a|b\n| c", "<img src=x>", "`y`"), Measurement(1.0, 1.0, "dB"),
        ("[x](y)\n# z",),
    )  # fmt: skip

    text = github.markdown(Report("b", (wild,)))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == len(["title", "rule", "row"])
    assert len(re.findall(r"(?<!\\)\|", rows[2])) == len(re.findall(r"\|", rows[0]))
    assert not re.search(r"(?<!\\)<", text)
    assert "\n# z" not in text


def test_a_summary_stays_below_what_github_takes():
    subject, measured = Subject("a" * 50, "litert", "y"), Measurement(1.0, 1.0, "dB")
    many = tuple(Check(CheckKind.PARITY, False, subject, measured, ("x" * 10**5,)) for _ in range(2000))
    assert len(github.markdown(Report("b", many)).encode()) < 2**20
