"""The text of a failed assertion: what did not pass, by how much and where, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from kexport.bundle.report import Check, CheckKind, Report
from kexport.reports._wording import figure_and_limit, lines, promise, summary, verdict

_TITLES = ("verdict", "check", "artifact", "runtime", "output", "figure", "limit")
_PROMISE_WIDTH = 44


def failure(report: Report, folder: Path) -> str:
    """The summary, a table of the checks that did not pass with what each found, and the commands that tell more."""
    bad = [check for check in report.checks if not check.passed]
    rows = [_TITLES, *map(_row, bad)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    said = [summary(report)]
    for row, check in zip(rows, (None, *bad), strict=True):
        if bad:
            said.append("  " + "  ".join(map(str.ljust, row, widths)).rstrip())
        said += [f"    {line}" for line in lines(check)] if check else []
    return "\n".join((*said, *_commands(bad, folder)))


def _row(check: Check) -> tuple[str, ...]:
    names = (check.artifact, check.runtime, check.output)
    about = promise(check.contract, _PROMISE_WIDTH) if check.contract else check.kind
    return (verdict(check), about, *(name or "-" for name in names), *figure_and_limit(check))


def _commands(bad: list[Check], folder: Path) -> Iterator[str]:
    where = shlex.quote(str(folder))
    yield f"check it again:    kexport verify {where}"
    # A broken promise has no layer to find: the artifact may well compute what Keras does.
    wrong = (check for check in bad if check.ran and check.figure is not None and check.kind is not CheckKind.CONTRACT)
    numbers = [check for check in wrong if check.runtime]
    for runtime in dict.fromkeys(check.runtime for check in numbers):
        yield f"find the layer:    kexport localise {where} --runtime {runtime}"
