"""The report of a comparison of two models, in text: one row per output, then the failures, then the notes."""

from __future__ import annotations

from collections.abc import Mapping

from kexport.bundle.facts import FactCode
from kexport.bundle.report import Check, CheckKind, Report
from kexport.parity.outcome import UNIT
from kexport.reports._metrics import metric_pair
from kexport.reports._phrases import fact_lines, number, summary, verdict

_HEADER = ("A", "B", "output", "error", "limit", "verdict", "worst element")
_RIGHT_ALIGNED = (3, 4)
_LEGEND = "error and limit: largest distance of B from A, relative to the output's scale"
_ROWS = (CheckKind.PARITY, CheckKind.RUNTIME, CheckKind.SEARCH)


def render(report: Report) -> str:
    """The table, the failures in words, the notes, and the report in one line."""
    checks = [check for check in report.checks if check.kind in _ROWS]
    text = _table([_cells(check) for check in checks]) if checks else []
    if any(check.unit == UNIT for check in checks):
        text.append(_LEGEND)
    for check in report.checks:
        if check.kind is CheckKind.METRIC:
            text += [*metric_pair(check), ""]
    for check in report.checks:
        if not check.passed and not (check.kind is CheckKind.METRIC and check.figure is not None):
            where = " ".join(part for part in (check.kind, check.artifact, check.runtime, check.output) if part)
            text += [f"{verdict(check)} {where}", *(f"  {line}" for line in fact_lines(check))]
    return "\n".join([*text, *(f"note: {note}" for note in report.notes), summary(report)])


def _cells(check: Check) -> tuple[str, ...]:
    sides = [_side(check.metrics.get(name, {})) for name in "ab"]
    if check.kind is CheckKind.SEARCH:
        output, limit = "(search)", "-"
        figure = number(None) if check.figure is None else f"{check.figure:.2g} limits"
    else:
        output, limit = check.output or "-", number(check.limit, check.unit)
        figure = number(check.figure, check.unit)
    return (*sides, output, figure, limit, verdict(check), _worst(check))


def _side(side: Mapping[str, str]) -> str:
    return f"{side.get('artifact', '-')} {side.get('runtime', '')}".strip()


def _worst(check: Check) -> str:
    """The element of B that is farthest from A, if there is a difference."""
    worst = check.metrics.get("worst")
    if check.kind is not CheckKind.PARITY or not check.figure or not worst:
        return "identical" if check.passed and check.states(FactCode.IDENTICAL) else ""
    index = ", ".join(map(str, worst["index"]))
    return f"[{index}] of {worst['golden']}: {worst['value']} instead of {worst['truth']}"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in (_HEADER, *rows)) for column in range(len(_HEADER))]
    aligned = [
        [cell.rjust(width) if column in _RIGHT_ALIGNED else cell.ljust(width)
         for column, (cell, width) in enumerate(zip(row, widths, strict=True))]
        for row in (_HEADER, *rows)
    ]  # fmt: skip
    return ["  ".join(cells).rstrip() for cells in aligned]
