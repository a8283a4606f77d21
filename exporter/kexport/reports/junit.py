"""The report as JUnit XML: one test case a check, a failure when it failed, an error when it could not be made."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from kexport.bundle.report import Check, Report


def render(report: Report) -> str:
    """The report as one `testsuites` document."""
    failed = [check for check in report.checks if not check.passed and check.ran]
    unmade = [check for check in report.checks if not check.ran]
    counts = {"tests": str(len(report.checks)), "failures": str(len(failed)), "errors": str(len(unmade))}
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": report.bundle, **counts})
    for check in report.checks:
        _add(suite, report.bundle, check)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _add(suite: ElementTree.Element, bundle: str, check: Check) -> None:
    name = " ".join(part for part in (check.kind, check.artifact, check.output) if part)
    case = ElementTree.SubElement(
        suite, "testcase", {"classname": f"{bundle}.{check.runtime or 'bundle'}", "name": name}
    )
    if not check.passed:
        tag = "failure" if check.ran else "error"
        detail = _printable(check.detail)
        ElementTree.SubElement(case, tag, {"message": detail.split("\n")[0]}).text = detail


def _printable(text: str) -> str:
    """XML 1.0 has no way to write control characters, which a runtime's message may hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
