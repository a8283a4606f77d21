"""The layers of a model as an artifact computes them, in text: a table, and the verdict below it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from kexport.parity.layer_report import FUSED, REWRITTEN, RIGHT, SAME, SCHEMA, WRONG, LayerRow, Localisation, Parting

_HEADER = ("layer", "class", "shape", "artifact's operators", "error", "limit", "SQNR", "")
_RIGHT_ALIGNED = (4, 5, 6)
_MOST_OPERATORS = 40  # characters


def render(localisation: Localisation) -> str:
    """The table of one artifact in one runtime, then what was found out."""
    named = {parting.layer for parting in localisation.partings}
    head = f"{localisation.artifact} in {localisation.runtime}, on {localisation.case}"
    lines = [head, *_table([_cells(row, row.layer in named) for row in localisation.rows]), *_verdict(localisation)]
    return "\n".join([*lines, *(f"note: {note}" for note in localisation.notes)])


def render_json(bundle: str, localisations: Sequence[Localisation]) -> str:
    """All of them as indented JSON without a final newline."""
    data = {
        "schema": SCHEMA,
        "bundle": bundle,
        "passed": all(each.passed for each in localisations),
        "localisations": [each.to_json() for each in localisations],
    }
    return json.dumps(_finite(data), indent=2, allow_nan=False)


def _finite(data: object) -> object:
    """The same without numbers that JSON lacks."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and data - data != 0 else data


def _cells(row: LayerRow, named: bool) -> tuple[str, ...]:
    operators = (
        row.source.operator
        if len(row.source.operator) <= _MOST_OPERATORS
        else row.source.operator[: _MOST_OPERATORS - 3] + "..."
    )
    ratio = "-" if row.error.sqnr_db is None else f"{row.error.sqnr_db:.0f} dB"
    shape = "x".join(map(str, row.shape))
    return (
        row.layer,
        row.kind,
        shape,
        operators,
        _number(row.error.figure),
        _number(row.error.limit),
        ratio,
        _state(row, named),
    )


def _state(row: LayerRow, named: bool) -> str:
    if named:
        return "PARTS HERE"
    texts = {RIGHT: "", WRONG: "beyond", FUSED: f"fused into {row.other}", SAME: f"as {row.other}"}
    texts[REWRITTEN] = "rewritten by the converter"
    return texts.get(row.state, row.state)


def _number(value: float | None) -> str:
    return "-" if value is None else "0" if value == 0 else f"{value:.1e}"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in (_HEADER, *rows)) for column in range(len(_HEADER))]
    lines = []
    for row in (_HEADER, *rows):
        cells = [
            cell.rjust(width) if column in _RIGHT_ALIGNED else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    return lines


def _verdict(localisation: Localisation) -> list[str]:
    if localisation.passed:
        return ["every output is within its limit: nothing parts"]
    lines = [f"wrong: {failing}" for failing in localisation.failing]
    if not localisation.partings:
        return [*lines, "no layer could be named"]
    for parting in localisation.partings:
        lines += _parting(parting, localisation.row(parting.layer))
    return lines


def _parting(parting: Parting, row: LayerRow) -> list[str]:
    shape = " x ".join(map(str, row.shape))
    lines = [f"it parts at {parting.layer} ({row.kind}; {row.source.operator or 'no operator'}; {shape})"]
    if parting.with_it:
        lines.append(f"  or in what has no result of its own before it: {', '.join(parting.with_it)}")
    if row.error.figure is not None:
        limit = [] if row.error.limit is None else [f"limit {_number(row.error.limit)}"]
        own = [f"error {_number(row.error.figure)} {row.error.unit}", *limit, *_ratio(row.error.sqnr_db)]
        before = [*([] if parting.before is None else [f"error {_number(parting.before)}"]), *_ratio(parting.before_db)]
        lines.append("  " + ", ".join(own) + (f"; what goes in: {', '.join(before)}" if before else ""))
    return [*lines, *([f"  {row.error.detail}"] if row.error.detail else [])]


def _ratio(value: float | None) -> list[str]:
    return [] if value is None else [f"{value:.0f} dB"]
