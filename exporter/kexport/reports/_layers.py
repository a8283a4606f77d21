"""The layers of a model as an artifact computes them, as text: a table, followed by the verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator

from kexport.bundle.report import Check
from kexport.parity.layer_report import FUSED, REWRITTEN, RIGHT, SAME, WRONG, Divergence, LayerRow, Localisation
from kexport.parity.localised_bundle import LocalisedBundle
from kexport.reports._phrases import figures
from kexport.reports._table import VERDICT, TextColumn, table
from kexport.screen_text import PLAIN_WIDTH, wrapped

_COLUMNS = (
    VERDICT,
    TextColumn("layer"),
    TextColumn("class", spare=2),
    TextColumn("shape", spare=3),
    TextColumn("error", True),
    TextColumn("limit", True),
    TextColumn("SQNR", True, 1),
    TextColumn("artifact's operators", spare=4),
)
_MOST_OPERATORS = 3  # of a layer


def render(bundle: LocalisedBundle, width: int = PLAIN_WIDTH) -> str:
    """The table and the verdict of each artifact, then of the model and of the build, where these failed."""
    artifacts = [render_artifact(each, width) for each in bundle.artifacts]
    whole = [part for line in _of_the_whole(bundle) for part in _wrapped(line, width)]
    return "\n\n".join([*artifacts, *filter(None, ["\n".join(whole)])])


def _wrapped(line: str, width: int) -> list[str]:
    return wrapped(line.lstrip(), width, " " * (len(line) - len(line.lstrip())))


def _of_the_whole(bundle: LocalisedBundle) -> Iterator[str]:
    """The lines on the model itself, and on the checks of the build that did not pass."""
    for fault in bundle.model_at_fault:
        yield f"the model itself is at fault: {fault}"
    if bundle.rejected_by:
        yield "the bundle was rejected when it was built:"
        yield from (f"  failed: {_check(check)}" for check in bundle.rejected_by)
    if bundle.unchecked:
        yield "not checked when it was built:"
        yield from (f"  {_check(check)}" for check in bundle.unchecked)
    if not bundle.built.checks:
        yield "nothing was checked when it was built"


def _check(check: Check) -> str:
    subject = check.subject
    about = " ".join(filter(None, [subject.artifact, subject.runtime and f"in {subject.runtime}"]))
    of = [subject.output and f"output {subject.output}", subject.contract]
    said = "; ".join(filter(None, [figures(check), check.detail]))
    return ": ".join(filter(None, [f"{check.kind} {about}".strip(), *of, said]))


def render_artifact(localisation: Localisation, width: int = PLAIN_WIDTH) -> str:
    """The table of one artifact in one runtime, followed by where it diverges from its model."""
    first_wrong = {divergence.layer for divergence in localisation.divergences}
    head = f"{localisation.artifact} in {localisation.runtime}, on {localisation.case}"
    cells = [_cells(row, row.layer in first_wrong) for row in localisation.rows]
    rest = [*_verdict(localisation), *(f"note: {note}" for note in localisation.notes)]
    lines = [part for line in rest for part in _wrapped(line, width)]
    return "\n".join([*wrapped(head, width), *table(_COLUMNS, cells, width, "  ").text, *lines])


def render_json(path: str, bundle: LocalisedBundle) -> str:
    """All that is known about the faults of a bundle as indented JSON without a final newline."""
    return json.dumps(finite(bundle.to_json(path)), indent=2, allow_nan=False)


def finite(data: object) -> object:
    """The data with null in place of infinity and NaN, which JSON lacks."""
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and data - data != 0 else data


def _cells(row: LayerRow, first_wrong: bool) -> tuple[str, ...]:
    operators, error = row.source.operator.split(", "), row.error
    said = ", ".join(operators[:_MOST_OPERATORS])
    if len(operators) > _MOST_OPERATORS:
        said += f" and {len(operators) - _MOST_OPERATORS} more"
    ratio = "-" if error.sqnr_db is None else f"{error.sqnr_db:.0f} dB"
    names = (_state(row, first_wrong), row.layer, row.kind, "x".join(map(str, row.shape)))
    return (*names, _number(error.figure), _number(error.limit), ratio, said)


def _state(row: LayerRow, first_wrong: bool) -> str:
    if first_wrong:
        return "DIVERGES HERE"
    texts = {RIGHT: "pass", WRONG: "beyond its limit", FUSED: f"fused into {row.other}", SAME: f"same as {row.other}"}
    texts[REWRITTEN] = "rewritten by the converter"
    return texts.get(row.state, row.state)


def _number(value: float | None) -> str:
    return "-" if value is None else "0" if value == 0 else f"{value:.1e}"


def _verdict(localisation: Localisation) -> list[str]:
    if localisation.passed:
        return ["every output is within its limit: the artifact does not diverge"]
    if not localisation.failed:
        return [f"nothing can be concluded of {', '.join(localisation.unjudged)}: the model's own noise is too large"]
    lines = [f"wrong: {failing}" for failing in localisation.failing]
    if not localisation.divergences:
        return [*lines, "no layer could be named"]
    for divergence in localisation.divergences:
        seen = localisation.row(divergence.seen_in or divergence.layer)
        lines += _divergence(divergence, localisation.row(divergence.layer), seen)
    return lines


def _divergence(divergence: Divergence, row: LayerRow, seen: LayerRow) -> list[str]:
    """The lines on a divergence: the layer, and the error in the tensor that shows it."""
    shape, error = " x ".join(map(str, row.shape)), seen.error
    operators = (row.source if row.source.operator else seen.source).operator
    lines = [f"it diverges at {divergence.layer} ({row.kind}; {operators or 'no operator'}; {shape})"]
    if divergence.with_it:
        lines.append(f"  or in a layer that has no tensor of its own in the artifact: {', '.join(divergence.with_it)}")
    if divergence.because:
        lines.append(f"  because {divergence.because}")
    if error.figure is not None:
        limit = [] if error.limit is None else [f"limit {_number(error.limit)}"]
        at = f" at {seen.layer}" if seen is not row else ""
        figures = [f"error {_number(error.figure)} {error.unit}{at}", *limit, *_ratio(error.sqnr_db)]
        before = [] if divergence.before is None else [f"error {_number(divergence.before)}"]
        before += _ratio(divergence.before_db)
        lines.append("  " + ", ".join(figures) + (f"; its inputs: {', '.join(before)}" if before else ""))
    return [*lines, *([f"  {error.detail}"] if error.detail else [])]


def _ratio(value: float | None) -> list[str]:
    return [] if value is None else [f"{value:.0f} dB"]
