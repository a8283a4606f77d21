"""JUnit XML: the elements and attributes that every reader knows, one case a check, and never green without proof."""

import os
import xml.etree.ElementTree as ElementTree

import pytest

from conftest import REFERENCE
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Measurement, Report, Subject
from kexport.reports import junit

#: What the schema of Jenkins' xUnit plug-in, the strictest that needs no invented time, allows: attributes, children.
SCHEMA = {
    "testsuites": ({"name", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped"}, {"testcase", "system-out"}),
    "testcase": ({"name", "classname"}, {"error", "failure", "system-out"}),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "system-out": (set(), set()),
}


def conforming(report):
    """The parsed document, after it was held against the schema."""
    root = ElementTree.fromstring(junit.render(report).encode("utf-8"))
    for element in root.iter():
        attributes, children = SCHEMA[element.tag]
        assert set(element.attrib) <= attributes, element.attrib
        assert {child.tag for child in element} <= children
    for element in (root, *root.iter("testsuite")):
        for tag, count in (("testcase", "tests"), ("failure", "failures"), ("error", "errors")):
            assert int(element.get(count)) == len(list(element.iter(tag)))
    cases = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(cases)) == len(cases), "readers tell cases apart by their names"
    return root


def test_every_check_of_a_build_is_a_case_with_its_figures():
    report = Bundle.open(REFERENCE / "lowpass").report
    root = conforming(report)
    cases = list(root.iter("testcase"))
    assert len(cases) == len(report.checks)
    for case, check in zip(cases, report.checks, strict=True):
        if check.kind == "parity":
            said = case.findtext("system-out").splitlines()
            assert f"figure: {check.figure!r} {check.unit}" in said
            assert f"limit: {check.limit!r} {check.unit}" in said


def test_a_failed_check_is_a_failure_and_an_unmade_one_an_error():
    subject, measured = Subject("model.onnx", "onnxruntime", "y"), Measurement(0.5, 0.25, "of output scale")
    failed = Check(CheckKind.PARITY, False, subject, measured, ("far\noff",))
    report = Report("b", (failed, Check.not_run(CheckKind.RUNTIME, Subject(runtime="litert"), "not installed")))
    root = conforming(report)
    (failure,) = root.iter("failure")
    assert failure.attrib == {"message": "far", "type": "parity"}
    assert failure.text == "far\noff"
    (error,) = root.iter("error")
    assert error.get("message") == "not installed"


@pytest.mark.parametrize(
    "checks", [(), (Check.success(CheckKind.DIGEST, Subject("model.onnx")),)], ids=["no check", "digest alone"]
)
def test_a_run_that_compared_nothing_has_an_error(checks):
    root = conforming(Report("b", checks))
    (error,) = root.iter("error")
    assert "nothing is proved" in error.get("message")


def test_checks_of_one_name_are_told_apart():
    check = Check(CheckKind.SEARCH, True, Subject("model.onnx", "onnxruntime", "y"), Measurement(0.0, 1.0))
    conforming(Report("b", (check, check, check)))


def test_what_xml_cannot_hold_is_replaced_and_its_syntax_survives():
    wild = "a\x00\x1b[31m\udcff<&>\"'\r\n]]>ü😀"
    check = Check(CheckKind.PARITY, False, Subject(wild, wild, wild), Measurement(1.0, 1.0, wild), (wild,))
    report = Report(wild, (check,), (wild,))
    (case,) = conforming(report).iter("testcase")
    assert "<&>\"'" in case.get("name")
    assert "😀" in case.find("failure").text


def test_the_file_says_its_own_encoding_in_every_locale(kexport, tmp_path):
    for locale in ("C", "C.UTF-8"):
        environment = {**os.environ, "LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
        arguments = ("verify", REFERENCE / "scaled", "--runtime", "litert", "--junit", "j.xml")
        result = kexport(*arguments, env=environment)
        assert result.returncode == 0, result.stderr
        content = (tmp_path / "j.xml").read_bytes()
        assert content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')
        ElementTree.fromstring(content)


def test_marks_of_direction_are_escaped():
    """They reorder what a reader of the file shows."""
    check = Check.failure(CheckKind.RUNTIME, Subject("a\u202eb"), "c\u2066d")
    written = junit.render(Report("e\u200ff", (check,)))
    assert not {"\u202e", "\u2066", "\u200f"} & set(written)
    assert r"a\u202eb" in written
