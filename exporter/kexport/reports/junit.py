"""The report as JUnit XML: one test case per check; a failed check is a failure, one that could not be run an error.

Only elements that every reader supports are written: figures are in `system-out`, since few readers support
`properties` of a case, and there is no time, since none is measured. A report that compared no numbers gets an
additional error, because most readers show a suite without test cases as green.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from kexport.bundle.report import Check, CheckKind, Report, Subject
from kexport.reports._phrases import NOTHING_COMPARED, counted
from kexport.visible import visible

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'  # ElementTree would declare the locale's encoding


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
    names = _contract_names({check.contract for check in checks if check.contract})
    seen: Counter[tuple[str | None, str]] = Counter()
    for check in checks:
        contract = names.get(check.contract or "")
        name = " ".join(part for part in (check.kind, contract, check.artifact, check.output) if part)
        seen[check.runtime, name] += 1
        again = seen[check.runtime, name]  # readers distinguish cases only by their names
        _add(suite, report.bundle, check, name if again == 1 else f"{name} ({again})")
    if report.notes:
        ElementTree.SubElement(suite, "system-out").text = _printable("\n".join(map(str, report.notes)))
    ElementTree.indent(root)
    return _DECLARATION + ElementTree.tostring(root, encoding="unicode") + "\n"


def _contract_names(texts: set[str]) -> dict[str, str]:
    """A name for each contract: its text, with long lists of numbers abbreviated unless two names would be equal."""
    uses = Counter(map(counted, texts))
    return {text: counted(text) if uses[counted(text)] == 1 else text for text in texts}


def _add(suite: ElementTree.Element, bundle: str, check: Check, name: str) -> None:
    classname = _printable(f"{bundle}.{check.runtime or 'bundle'}")
    case = ElementTree.SubElement(suite, "testcase", {"classname": classname, "name": _printable(name)})
    if not check.passed:
        detail = _printable(check.detail)
        summary = {"message": (detail.splitlines() or ["there are no details"])[0], "type": check.kind.value}
        ElementTree.SubElement(case, "failure" if check.ran else "error", summary).text = detail
    facts = list(_facts(check))
    if facts:
        ElementTree.SubElement(case, "system-out").text = _printable("\n".join(facts))


def _facts(check: Check) -> Iterator[str]:
    """The figures of a check in full precision, one per line."""
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
    """The text with escapes for marks of direction, and without controls that XML 1.0 cannot represent."""
    written = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
    return "\r".join(map(visible, written.split("\r")))
