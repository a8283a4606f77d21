"""The report as JUnit XML: one test case a check, a failure when it failed, an error when it could not be made.

Only what every reader of JUnit knows is written: the figures stand in `system-out`, since few take `properties` of a
case, and there is no time, since none is measured. A report that compared no number has an error more than it has
checks: a suite without test cases is green in most readers.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from kexport.bundle.report import Check, CheckKind, Report, Subject
from kexport.reports._wording import NOTHING_COMPARED, counted

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'  # ElementTree would name the locale's encoding


def render(report: Report) -> str:
    """The report as one `testsuites` document."""
    checks = list(report.checks)
    if not report.passed and all(check.passed for check in checks):
        checks.append(Check.not_run(CheckKind.PARITY, Subject(), NOTHING_COMPARED))
    counts = {
        "tests": str(len(checks)),
        "failures": str(sum(not check.passed and check.ran for check in checks)),
        "errors": str(sum(not check.ran for check in checks)),
    }
    root = ElementTree.Element("testsuites", {"name": "kexport", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": _printable(report.bundle), **counts, "skipped": "0"})
    names = _promises({check.contract for check in checks if check.contract})
    seen: Counter[tuple[str | None, str]] = Counter()
    for check in checks:
        contract = names.get(check.contract or "")
        name = " ".join(part for part in (check.kind, contract, check.artifact, check.output) if part)
        seen[check.runtime, name] += 1
        again = seen[check.runtime, name]  # readers tell cases apart by their names alone
        _add(suite, report.bundle, check, name if again == 1 else f"{name} ({again})")
    if report.notes:
        ElementTree.SubElement(suite, "system-out").text = _printable("\n".join(map(str, report.notes)))
    ElementTree.indent(root)
    return _DECLARATION + ElementTree.tostring(root, encoding="unicode") + "\n"


def _promises(texts: set[str]) -> dict[str, str]:
    """A name for each promise: its text, in which long lists of numbers are counted unless two would then be alike."""
    alike = Counter(map(counted, texts))
    return {text: counted(text) if alike[counted(text)] == 1 else text for text in texts}


def _add(suite: ElementTree.Element, bundle: str, check: Check, name: str) -> None:
    classname = _printable(f"{bundle}.{check.runtime or 'bundle'}")
    case = ElementTree.SubElement(suite, "testcase", {"classname": classname, "name": _printable(name)})
    if not check.passed:
        detail = _printable(check.detail)
        said = {"message": (detail.splitlines() or ["no more is known"])[0], "type": _printable(check.kind)}
        ElementTree.SubElement(case, "failure" if check.ran else "error", said).text = detail
    facts = list(_facts(check))
    if facts:
        ElementTree.SubElement(case, "system-out").text = _printable("\n".join(facts))


def _facts(check: Check) -> Iterator[str]:
    """The figures of a check in full precision, one a line."""
    unit = f" {check.unit}" if check.unit else ""
    if check.figure is not None:
        yield f"figure: {check.figure!r}{unit}"
    if check.contract:
        yield f"promise: {check.contract}"
    if check.limit is not None:
        yield f"limit: {check.limit!r}{unit}"
    for name, value in check.metrics.items():
        if value is not None:
            yield f"{name}: {json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else value}"
    if check.passed and check.detail:
        yield check.detail


def _printable(text: str) -> str:
    """XML 1.0 has no way to write control characters, which a runtime's message may hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
