"""The report of a comparison of two models, in text: one row per output, then the failures, then the notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kexport.bundle.facts import FactCode
from kexport.bundle.report import Check, CheckKind, Report
from kexport.parity.outcome import UNIT
from kexport.reports._failures import failure_heading, failure_summary
from kexport.reports._metrics import metric_pair
from kexport.reports._phrases import fact_lines, number, summary, verdict
from kexport.reports._table import VERDICT, TextColumn, table
from kexport.screen_text import PLAIN_WIDTH, wrapped

_COLUMNS = (
    VERDICT,
    TextColumn("A"),
    TextColumn("B"),
    TextColumn("output"),
    TextColumn("error", True),
    TextColumn("limit", True),
    TextColumn("worst element", spare=1, kept=True),
)
_LEGEND = "error and limit: largest distance of B from A, relative to the output's scale"
_ROWS = (CheckKind.PARITY, CheckKind.RUNTIME, CheckKind.SEARCH)


def render(report: Report, width: int = PLAIN_WIDTH) -> str:
    """The table, the failures in words, the notes, and the report in one line; in at most `width` columns."""
    checks = [check for check in report.checks if check.kind in _ROWS]
    text = table(_COLUMNS, map(_cells, checks), width).text if checks else []
    if any(check.unit == UNIT for check in checks):
        text += wrapped(_LEGEND, width)
    for check in report.checks:
        if check.kind is CheckKind.METRIC:
            text += [line for each in metric_pair(check) for line in wrapped(each, width)] + [""]
    for first, line in _in_words(report):
        text += wrapped(line, width, first)
    return "\n".join(text)


def _in_words(report: Report) -> Iterator[tuple[str, str]]:
    """The failures, the notes and the whole, with what each line begins with."""
    for line in failure_summary(report.checks):
        yield " " * (len(line) - len(line.lstrip())), line.strip()
    for check in report.checks:
        if not check.passed and not (check.kind is CheckKind.METRIC and check.figure is not None):
            yield "", f"{verdict(check)} {failure_heading(check)}"
            yield from (("  ", line) for line in fact_lines(check))
    yield from (("", f"note: {note}") for note in report.notes)
    yield "", summary(report)


def _cells(check: Check) -> tuple[str, ...]:
    sides = [_side(check.metrics.get(name, {})) for name in "ab"]
    if check.kind is CheckKind.SEARCH:
        output, limit = "(search)", "-"
        figure = number(None) if check.figure is None else f"{check.figure:.2g} limits"
    else:
        output, limit = check.output or "-", number(check.limit, check.unit)
        figure = number(check.figure, check.unit)
    return (verdict(check), *sides, output, figure, limit, _worst(check))


def _side(side: Mapping[str, str]) -> str:
    return f"{side.get('artifact', '-')} {side.get('runtime', '')}".strip()


def _worst(check: Check) -> str:
    """The element of B that is farthest from A, if there is a difference."""
    worst = check.metrics.get("worst")
    if check.kind is not CheckKind.PARITY or not check.figure or not worst:
        return "identical" if check.passed and check.states(FactCode.IDENTICAL) else ""
    index = ", ".join(map(str, worst["index"]))
    return f"[{index}] of {worst['golden']}: {worst['value']} instead of {worst['truth']}"
