"""The text of a failed assertion: what did not pass, by how much and where, and which command to run next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from kexport.bundle.report import Check, CheckKind, Report
from kexport.reports import fact_lines, figure_and_limit, short_contract, summary, verdict

_TITLES = ("verdict", "check", "artifact", "runtime", "output", "figure", "limit")
_CONTRACT_WIDTH = 44


def failure_text(report: Report, folder: Path) -> str:
    """The summary, a table of the checks that did not pass with the facts of each, and commands to find out more.

    Args:
        report: the report of the bundle.
        folder: the folder of the bundle, for the commands.
    """
    failures = [check for check in report.checks if not check.passed]
    rows = [_TITLES, *map(_row, failures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [summary(report)]
    for row, check in zip(rows, (None, *failures), strict=True):
        if failures:
            lines.append("  " + "  ".join(map(str.ljust, row, widths)).rstrip())
        lines += [f"    {line}" for line in fact_lines(check)] if check else []
    return "\n".join((*lines, *_commands(failures, folder)))


def _row(check: Check) -> tuple[str, ...]:
    names = (check.artifact, check.runtime, check.output)
    about = short_contract(check.contract, _CONTRACT_WIDTH) if check.contract else check.kind.value
    return (verdict(check), about, *(name or "-" for name in names), *figure_and_limit(check))


def _commands(failures: list[Check], folder: Path) -> Iterator[str]:
    where = shlex.quote(str(folder))
    yield f"check it again:    kexport verify {where}"
    # A broken promise is not the fault of a single layer: the artifact may well compute what Keras does.
    wrong = [each for each in failures if each.ran and each.figure is not None and each.kind is not CheckKind.CONTRACT]
    for runtime in dict.fromkeys(check.runtime for check in wrong if check.runtime):
        yield f"find the layer:    kexport localise {where} --runtime {runtime}"
