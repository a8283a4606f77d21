"""Compares each layer in the artifact with its truth, and finds where the artifact diverges from the model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kexport.bundle.signature import Array
from kexport.factory.localisation import layouts
from kexport.factory.localisation.excess import excess
from kexport.factory.localisation.layer_output import LayerOutput, LayerTruth
from kexport.factory.localisation.tensor_matcher import TensorMatch, TensorMatcher
from kexport.parity import layer_report
from kexport.parity.layer_report import (
    FUSED,
    NOT_OBSERVABLE,
    NOT_RUN,
    RIGHT,
    SAME,
    WRONG,
    Divergence,
    LayerError,
    LayerRow,
    TensorSource,
)
from kexport.parity.outcome import Outcome
from kexport.parity.output_comparison import OutputComparison
from kexport.parity.tolerance import for_kernels


@dataclass(frozen=True)
class LayerVerdicts:
    """The rows of all layers, where the artifact diverges, and the match of each layer that has one, by its name."""

    rows: list[LayerRow]
    divergences: list[Divergence]
    matches: dict[str, TensorMatch]


def judge(
    layers: Sequence[LayerTruth], matcher: TensorMatcher, accumulation_factor: float, quantised: bool
) -> LayerVerdicts:
    """Compare what the artifact holds for each layer with the layer's truth.

    Args:
        layers: the layers, in order.
        matcher: finds the artifact's tensors.
        accumulation_factor: the accumulation factor of the runtime.
        quantised: whether the signal-to-quantisation-noise ratio counts instead of the limit.
    """
    rows, matches = [], {}
    for index in range(len(layers)):
        row, match = _row(index, layers, matcher, accumulation_factor)
        rows.append(row)
        if match is not None:
            matches[row.layer] = match
    rows = [_with_operators(row, matches, matcher) for row in rows]
    if quantised:
        rows = [_by_ratio(row) for row in rows]
    ends = [row.layer for row in rows if row.layer in matches and matches[row.layer].tensor.output]
    rows, divergences = layer_report.diverging(rows, ends)
    if quantised and not divergences:
        divergences = _largest_loss(rows)
    return LayerVerdicts(rows, [_with_work_around(divergence, layers) for divergence in divergences], matches)


def _row(
    index: int, layers: Sequence[LayerTruth], matcher: TensorMatcher, accumulation_factor: float
) -> tuple[LayerRow, TensorMatch | None]:
    layer = layers[index]
    call = layer.call
    shape = layer.outputs[0].truth.shape if layer.outputs else ()
    row = LayerRow(call.name, call.site.kind, call.feeds, shape=tuple(map(int, shape)))
    if layer.same_as:
        return replace(row, state=SAME, other=layer.same_as), None
    pairs = [(output, match) for output in layer.outputs if (match := matcher.match(index, output)) is not None]
    if not pairs:
        into = matcher.fused_into(index) if layer.outputs else None
        return (row if into is None else replace(row, state=FUSED, other=layers[into].name)), None
    output, match, outcome = max(
        ((output, match, _compared(output, match.value, accumulation_factor)) for output, match in pairs),
        key=lambda each: excess(each[2]),
    )
    if excess(outcome) > 1 and match.tensor.output and (other := matcher.elsewhere(output)) is not None:
        match, outcome = other, _compared(output, other.value, accumulation_factor)
    name = match.tensor.output or next(iter(match.tensor.names), match.tensor.key)
    row = replace(
        row,
        state=_state(match, outcome),
        source=TensorSource(name, match.tensor.operator, match.how),
        shape=tuple(map(int, output.truth.shape)),
        error=_error(outcome),
    )
    return row, None if output.given is not None else match


def _state(match: TensorMatch, outcome: Outcome) -> str:
    if match.value is None:
        return NOT_RUN
    if not outcome.ran:
        return NOT_OBSERVABLE
    return RIGHT if outcome.passed else WRONG


def _error(outcome: Outcome) -> LayerError:
    return LayerError(
        outcome.figure,
        outcome.limit,
        outcome.unit,
        excess(outcome),
        outcome.sqnr_db,
        "; ".join(problem.lstrip(",: ") for problem in outcome.problems),
    )


def _compared(output: LayerOutput, value: Array | None, accumulation_factor: float) -> Outcome:
    comparison = OutputComparison(output.spec, for_kernels(output.limit, accumulation_factor))
    if value is not None:
        if value.dtype.kind in "iub" and output.spec.numpy_dtype.kind in "iub":
            value = value.astype(output.spec.numpy_dtype)  # an artifact may hold integers in 32 or 64 bits inside
        comparison.add("", output.truth, value, output.keras_output, output.ulp_sensitivity)
    return comparison.outcome()


def _with_operators(row: LayerRow, matches: Mapping[str, TensorMatch], matcher: TensorMatcher) -> LayerRow:
    """The row with all operators between the results that go in and its own."""
    if row.layer not in matches:
        return row
    ends = [match.tensor.key for name, match in matches.items() if name != row.layer]
    operators = [tensor.operator for tensor in matcher.between(matches[row.layer].tensor.key, ends)]
    return replace(row, source=replace(row.source, operator=", ".join(dict.fromkeys(operators))))


def _with_work_around(divergence: Divergence, layers: Sequence[LayerTruth]) -> Divergence:
    """The divergence with the layers around it whose own operations precede it."""
    call = next(layer.call for layer in layers if layer.name == divergence.layer)
    return replace(divergence, with_it=(*divergence.with_it, *call.work_of))


def _by_ratio(row: LayerRow) -> LayerRow:
    """The row of a quantised artifact, whose error is that of quantisation: limits for rounding do not apply."""
    if not row.seen or math.isinf(row.error.excess):
        return row
    return replace(row, state=RIGHT, error=replace(row.error, limit=None, excess=0.0, detail=""))


def _largest_loss(rows: Sequence[LayerRow]) -> list[Divergence]:
    """The layer that loses most of the signal-to-noise ratio: quantisation costs each layer a little."""
    ratios = {row.layer: row.error.sqnr_db for row in rows if row.seen and row.error.sqnr_db is not None}
    best = max(ratios.values(), default=0.0)
    losses: list[tuple[float, Divergence]] = []
    for row in rows:
        if row.layer in ratios:
            sources, between = layer_report.sources(row, rows, ratios)
            before = min((ratios[name] for name in sources), default=best)
            losses.append((before - ratios[row.layer], Divergence(row.layer, between, None, before)))
    return [max(losses, key=lambda each: each[0])[1]] if losses else []


def distance(output: LayerOutput, value: Array, accumulation_factor: float) -> float:
    """The distance of an artifact's tensor from a layer's output, as a multiple of its limit."""
    laid_out = layouts.in_layout_of(output.truth, value, output.recurrent)
    return excess(_compared(output, value if laid_out is None else laid_out, accumulation_factor))
