"""The error of every layer along the depth of the model, as `localise` found it in one artifact."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from kexport.page.curves import Curve, chart
from kexport.page.scales import LinearScale, LogScale
from kexport.parity.layer_report import LayerRow, Localisation
from kexport.reports import number

_MOST_ROWS = 400


@dataclass(frozen=True)
class LayerLine:
    """One call of a layer."""

    layer: str
    kind: str
    operator: str
    error: str
    limit: str
    state: str
    diverges: bool


@dataclass(frozen=True)
class Depth:
    """The layers of one artifact in one runtime.

    Attributes:
        title: the artifact, the runtime and the input.
        verdict: the lines that say where it diverges.
        passed: whether nothing is wrong.
        drawing: the errors along the depth; empty where there are none.
        lines: one per layer, the first `_MOST_ROWS`.
        more: how many layers are left out.
    """

    title: str
    verdict: tuple[str, ...]
    passed: bool
    drawing: Markup
    lines: tuple[LayerLine, ...]
    more: int


def depth(localisation: Localisation) -> Depth:
    """The layers of a localisation as a chart and as lines."""
    first = {divergence.layer for divergence in localisation.divergences}
    lines = tuple(_line(row, row.layer in first) for row in localisation.rows[:_MOST_ROWS])
    title = f"{localisation.artifact} in {localisation.runtime}, on {localisation.case}"
    more = max(0, len(localisation.rows) - _MOST_ROWS)
    return Depth(title, tuple(_told(localisation)), localisation.passed, _drawing(localisation), lines, more)


def _told(localisation: Localisation) -> Iterator[str]:
    if localisation.passed:
        yield "Every output is within its limit: the artifact does not diverge."
    elif not localisation.failed:
        outputs = ", ".join(localisation.unjudged)
        yield f"Nothing can be concluded of {outputs}: the model's own noise is too large."
    for divergence in localisation.divergences:
        others = f", or in {', '.join(divergence.with_it)}" if divergence.with_it else ""
        because = f", because {divergence.because}" if divergence.because else ""
        yield f"It diverges at {divergence.layer} ({localisation.row(divergence.layer).kind}){others}{because}."
    if localisation.failed and not localisation.divergences:
        yield "No layer could be named."
    yield from (f"Wrong: {each}" for each in localisation.failing)
    yield from (f"Note: {note}" for note in localisation.notes)


def _line(row: LayerRow, diverges: bool) -> LayerLine:
    state = "diverges here" if diverges else row.state + (f": {row.other}" if row.other else "")
    operator = row.source.operator
    operator = operator if len(operator) <= 60 else operator[:58] + " …"
    return LayerLine(row.layer, row.kind, operator, number(row.error.figure), number(row.error.limit), state, diverges)


def _drawing(localisation: Localisation) -> Markup:
    seen = [(index, row) for index, row in enumerate(localisation.rows) if row.error.figure is not None]
    errors = [(index, row.error.figure or 0.0) for index, row in seen]
    limits = [(index, row.error.limit) for index, row in seen if row.error.limit]
    if len(seen) < 2 or not any(figure > 0 for _, figure in errors):
        return Markup("")
    y = LogScale.over([*(figure for _, figure in errors), *(limit for _, limit in limits)])
    x = LinearScale(0.0, float(max(1, len(localisation.rows) - 1)))
    least = 10.0**y.low
    curves = [
        Curve("limit", [(float(index), limit) for index, limit in limits], "limit"),
        Curve("error", [(float(index), max(least, figure)) for index, figure in errors], 0),
    ]
    worst = max(seen, key=lambda each: each[1].error.excess if math.isfinite(each[1].error.excess) else 1e300)[1]
    words = (
        f"error of {len(seen)} layers along the depth of {localisation.artifact} in {localisation.runtime}; "
        f"the largest against its limit is {worst.layer}: {number(worst.error.figure)}"
    )
    return chart(words, curves, (x, y), height=160, unit="layers deep")
