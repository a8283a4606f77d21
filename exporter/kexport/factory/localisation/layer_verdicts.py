"""Each layer's result in the artifact against its truth, and the layers at which the artifact parts from the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kexport.bundle.signature import Array
from kexport.factory.localisation import layouts
from kexport.factory.localisation.in_worker import excess
from kexport.factory.localisation.layer_truth import Layer, Value
from kexport.factory.localisation.tensor_matching import Match, Matching
from kexport.parity import layer_report
from kexport.parity.layer_report import FUSED, RIGHT, SAME, UNRUN, UNSEEN, WRONG, Parting, Row
from kexport.parity.outcome import Outcome
from kexport.parity.output_comparison import OutputComparison
from kexport.parity.tolerance import for_kernels


@dataclass(frozen=True)
class Judgement:
    """The rows of all layers, where the artifact parts, and the match of each row that has one."""

    rows: list[Row]
    partings: list[Parting]
    matches: dict[str, Match]


def judge(layers: Sequence[Layer], matching: Matching, summation: float, quantised: bool) -> Judgement:
    """Compare what the artifact holds of each layer with the layer's truth.

    Args:
        layers: in order.
        matching: of the artifact's tensors.
        summation: of the runtime.
        quantised: whether the ratio of signal to error counts instead of the limit.
    """
    rows, matches = [], {}
    for index in range(len(layers)):
        row, match = _row(index, layers, matching, summation)
        rows.append(row)
        if match is not None:
            matches[row.layer] = match
    rows = [_with_operators(row, rows, matches, matching) for row in rows]
    if quantised:
        rows = [_by_ratio(row) for row in rows]
    ends = [row.layer for row in rows if row.layer in matches and matches[row.layer].tensor.output]
    rows, partings = layer_report.parted(rows, ends)
    if quantised and not partings:
        partings = _most_lost(rows)
    return Judgement(rows, [_with_work_around(parting, layers) for parting in partings], matches)


def _row(index: int, layers: Sequence[Layer], matching: Matching, summation: float) -> tuple[Row, Match | None]:
    layer = layers[index]
    step = layer.step
    shape = layer.values[0].truth.shape if layer.values else ()
    row = Row(step.name, step.kind, step.feeds, shape=tuple(map(int, shape)))
    if step.same_as:
        return replace(row, state=SAME, other=step.same_as), None
    found = [(value, match) for value in layer.values if (match := matching.of(index, value)) is not None]
    if not found:
        into = matching.fused_into(index) if layer.values else None
        return (row if into is None else replace(row, state=FUSED, other=layers[into].name)), None
    value, match, outcome = max(
        ((value, match, _compared(value, match.value, summation)) for value, match in found),
        key=lambda each: excess(each[2]),
    )
    if excess(outcome) > 1 and match.tensor.output and (moved := matching.elsewhere(value)) is not None:
        match, outcome = moved, _compared(value, moved.value, summation)
    state = UNRUN if match.value is None else UNSEEN if not outcome.ran else RIGHT if outcome.passed else WRONG
    row = replace(
        row,
        state=state,
        tensor=match.tensor.output or next(iter(match.tensor.names), match.tensor.key),
        operator=match.tensor.operator,
        how=match.how,
        shape=tuple(map(int, value.truth.shape)),
        figure=outcome.figure,
        limit=outcome.limit,
        excess=excess(outcome),
        unit=outcome.unit,
        sqnr_db=outcome.metrics.get("sqnr_db"),
        detail="; ".join(problem.lstrip(",: ") for problem in outcome.problems),
    )
    return row, match


def _compared(value: Value, held: Array | None, summation: float) -> Outcome:
    comparison = OutputComparison(value.spec, for_kernels(value.limit, summation))
    if held is not None:
        if held.dtype.kind in "iub" and value.spec.numpy_dtype.kind in "iub":
            held = held.astype(value.spec.numpy_dtype)  # 32 bits or 64 inside of an artifact is its own affair
        comparison.add("", value.truth, held, value.own, value.moves)
    return comparison.outcome()


def _with_operators(row: Row, rows: Sequence[Row], matches: dict[str, Match], matching: Matching) -> Row:
    """The row with all operators between the results that go in and its own."""
    if row.layer not in matches:
        return row
    ends = [match.tensor.key for name, match in matches.items() if name != row.layer]
    operators = matching.operators(matches[row.layer].tensor.key, ends)
    return replace(row, operator=", ".join(dict.fromkeys(operators)))


def _with_work_around(parting: Parting, layers: Sequence[Layer]) -> Parting:
    """The parting, with the layers around it whose own operations lie before it."""
    step = next(layer.step for layer in layers if layer.name == parting.layer)
    return replace(parting, with_it=(*parting.with_it, *step.work_of))


def _by_ratio(row: Row) -> Row:
    """The row of a quantised artifact: its distance is that of quantisation, and no limit of rounding is for it."""
    if not row.seen or math.isinf(row.excess):
        return row
    return replace(row, state=RIGHT, limit=None, excess=0.0, detail="")


def _most_lost(rows: Sequence[Row]) -> list[Parting]:
    """The layer that loses most of the ratio of signal to error: quantisation costs each a little."""
    ratios = {row.layer: row.sqnr_db for row in rows if row.seen and row.sqnr_db is not None}
    best = max(ratios.values(), default=0.0)
    found: list[tuple[float, Parting]] = []
    for row in rows:
        if row.layer in ratios:
            sources, between = layer_report.sources(row, rows, ratios)
            before = min((ratios[name] for name in sources), default=best)
            found.append((before - ratios[row.layer], Parting(row.layer, between, None, before)))
    return [max(found, key=lambda each: each[0])[1]] if found else []


def distance(value: Value, held: Array, summation: float) -> float:
    """How many times its limit an artifact's tensor is from what a layer gives."""
    undone = layouts.undone(held, value.truth, value.recurrent)
    return excess(_compared(value, held if undone is None else undone, summation))
