"""The report of a comparison of two models, in text: one row an output, then what differs, then notes."""

from __future__ import annotations

from kexport.bundle.report import Check, CheckKind, FactCode, Report
from kexport.parity.outcome import UNIT
from kexport.reports._wording import lines, number, summary, verdict

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
        if not check.passed:
            where = " ".join(part for part in (check.kind, check.artifact, check.runtime, check.output) if part)
            text += [f"{verdict(check)} {where}", *(f"  {line}" for line in lines(check))]
    return "\n".join([*text, *(f"note: {note}" for note in report.notes), summary(report)])


def _cells(check: Check) -> tuple[str, ...]:
    sides = [check.metrics.get(side, {}) for side in "ab"]
    texts = [f"{side.get('artifact', '-')} {side.get('runtime', '')}".strip() for side in sides]
    searched = check.kind is CheckKind.SEARCH
    figure = f"{check.figure:.2g} limits" if searched and check.figure is not None else number(check.figure, check.unit)
    limit = "-" if searched else number(check.limit, check.unit)
    output = "(search)" if searched else check.output or "-"
    return (*texts, output, figure, limit, verdict(check), _worst(check))


def _worst(check: Check) -> str:
    """The element that is furthest from A, where one is away from it."""
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
