"""Which layer explains what an artifact computes, where the first wrong tensor alone does not tell."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.localisation import fused_chain, layer_verdicts, layouts
from kexport.factory.localisation.counterfactual import Counterfactuals, Remainder
from kexport.factory.localisation.layer_output import LayerTruth
from kexport.factory.localisation.layer_verdicts import LayerVerdicts
from kexport.factory.localisation.tensor_matcher import TensorMatcher
from kexport.parity import layer_report
from kexport.parity.layer_report import WRONG, Divergence, LayerRow

_MOST_RUNS = 12
_FEW = 0.75  # of the elements: more than that may be all but those that are zero by chance
_MANY = 0.5  # of the elements that depend on a layer at fault are wrong, at least


@dataclass(frozen=True)
class Evidence:
    """What was observed of an artifact on one case.

    Attributes:
        layers: the layers of the model.
        verdicts: what was found of each.
        matcher: knows the artifact's tensors.
        counterfactuals: runs the model with other results of one layer.
        accumulation_factor: the accumulation factor of the runtime.
    """

    layers: Sequence[LayerTruth]
    verdicts: LayerVerdicts
    matcher: TensorMatcher
    counterfactuals: Counterfactuals
    accumulation_factor: float

    def layer(self, name: str) -> LayerTruth:
        """The layer of a name."""
        return next(layer for layer in self.layers if layer.name == name)

    def observed(self, name: str) -> list[Array]:
        """What the artifact holds for the first output of a layer, in each layout that it may be in."""
        match, layer = self.verdicts.matches.get(name), self.layer(name)
        value = None if match is None or match.value is None else self.matcher.value(match.tensor)
        if match is None or value is None or not layer.outputs:
            return []
        if match.tensor.output:  # outputs keep their layout
            return [value]
        return layouts.every_layout(layer.outputs[0].truth, value, layer.outputs[0].recurrent)

    @property
    def wrong(self) -> list[str]:
        """The layers whose tensors are wrong, in order."""
        return [row.layer for row in self.verdicts.rows if row.state == WRONG and self.observed(row.layer)]

    def left_by(self, name: str) -> Remainder | None:
        """What remains of the error of the last wrong output if a layer gave what its tensor holds."""
        outputs = [each for each in self.wrong if self.verdicts.matches[each].tensor.output]
        end = (outputs or self.wrong)[-1]
        return self.counterfactuals.at(name, self.observed(name), self.layer(end), self.observed(end))

    def nearest(self, name: str) -> Array | None:
        """What the artifact holds for the first output of a layer, where that is of the right shape."""
        fitting = [each for each in self.observed(name) if each.shape == self.layer(name).outputs[0].truth.shape]
        return fitting[0] if fitting else None


def explained(evidence: Evidence) -> list[Divergence]:
    """The divergences; the first is at the layer that explains best what was observed."""
    divergences = evidence.verdicts.divergences
    if not divergences:
        return divergences
    first = _effective(evidence, divergences[0])
    decided = _by_a_tensor(evidence, first) or _by_dependence(evidence, first) or _in_a_chain(evidence, first) or first
    return [decided, *(each for each in divergences[1:] if each.layer not in (first.layer, decided.layer))]


def _effective(evidence: Evidence, first: Divergence) -> Divergence:
    """The first divergence, or the first later one that explains the end of the model where that one does not at all.

    A converter may use the name of a layer for something else. If the layer really gave what that tensor holds, the
    result would be further from what is observed than the truth is.
    """
    rows, wrong = evidence.verdicts.rows, evidence.wrong
    if first.layer not in wrong or first.layer == wrong[-1]:
        return first
    for name in wrong[wrong.index(first.layer) :][:_MOST_RUNS]:
        left = evidence.left_by(name)
        if name == first.layer and (left is None or left.explained or not left.larger):
            return first
        if left is not None and left.explained:
            passed_over = wrong[: wrong.index(name)]
            parted = [each.layer for each in evidence.verdicts.divergences if each.layer in passed_over]
            later = _diverging_at(name, first, rows, passed_over)
            # Of several faults none explains the outputs alone: what merely joins them is not to blame.
            return first if len(parted) > 1 or later.with_it else later
    return first


def _diverging_at(name: str, first: Divergence, rows: Sequence[LayerRow], passed_over: Sequence[str]) -> Divergence:
    """The divergence at a later layer than the first, whose tensors hold something else than their names say."""
    judged = {row.layer for row in rows if row.seen} - set(passed_over)
    nearest, between = layer_report.sources(next(row for row in rows if row.layer == name), rows, judged)
    errors = [row.error for row in rows if row.layer in nearest]
    figures = [error.figure for error in errors if error.figure is not None]
    ratios = [error.sqnr_db for error in errors if error.sqnr_db is not None]
    others = tuple(each for each in between if each not in passed_over)
    because = f"what the tensor named {first.layer} holds does not explain the outputs"
    return Divergence(name, others, max(figures, default=None), min(ratios, default=None), because=because)


def _by_a_tensor(evidence: Evidence, first: Divergence) -> Divergence | None:
    """An earlier layer that explains the first wrong tensor, if it gave what another tensor before that one holds."""
    observed, seen = evidence.observed(first.layer), evidence.layer(first.layer)
    if not observed:
        return None
    for runs, (name, values) in enumerate(_held_before(evidence, first)):
        if runs >= _MOST_RUNS:
            return None
        left = evidence.counterfactuals.at(name, values, seen, observed)
        if left is not None and left.explained:
            return _moved(first, name, (), "a tensor that holds its result explains what follows")
    return None


def _held_before(evidence: Evidence, first: Divergence) -> Iterator[tuple[str, list[Array]]]:
    """Earlier layers, each with the value of a tensor that may hold its result, and is then wrong."""
    matches, matcher = evidence.verdicts.matches, evidence.matcher
    key = matches[first.layer].tensor.key
    taken = {match.tensor.key for match in matches.values()}
    row = next(row for row in evidence.verdicts.rows if row.layer == first.layer)
    nearest, _ = layer_report.sources(row, evidence.verdicts.rows, matches)
    tensors = matcher.between(key, [match.tensor.key for name, match in matches.items() if name != first.layer])
    for name in (*first.with_it, *nearest):
        layer = evidence.layer(name)
        if not layer.outputs or layer.same_as:
            continue
        index = list(evidence.layers).index(layer)
        for tensor in reversed(tensors):
            owner = matcher.owner(tensor)
            allowed = owner == index if name in nearest else owner in (-1, index)
            held = matcher.held(tensor, layer.outputs[0]) if allowed and tensor.key not in taken else []
            if held and layer_verdicts.distance(layer.outputs[0], held[0], evidence.accumulation_factor) > 1:
                yield name, held


def _by_dependence(evidence: Evidence, first: Divergence) -> Divergence | None:
    """The layer on which all wrong elements depend, and the fewest of the right ones."""
    observed, seen = evidence.nearest(first.layer), evidence.layer(first.layer)
    if observed is None or len(seen.call.feeds) < 2 or not first.with_it or observed.dtype.kind != "f":
        return None
    output = seen.outputs[0]
    wrong = ~(np.abs(observed - output.truth) <= output.limit.limit * output.limit.scale)
    fewest, named = _FEW, ""
    for name in first.with_it:
        if not evidence.layer(name).outputs:
            continue
        depends = evidence.counterfactuals.moved(name, seen)
        if depends is None or (wrong & ~depends).any() or np.count_nonzero(wrong) < _MANY * np.count_nonzero(depends):
            continue
        if depends.mean() < fewest:
            fewest, named = float(depends.mean()), name
    if not named:
        return None
    return _moved(first, named, (), f"every wrong element of {first.layer} depends on it, and the others are right")


def _in_a_chain(evidence: Evidence, first: Divergence) -> Divergence | None:
    """The layer of a chain that is computed as one which explains the difference."""
    seen = evidence.layer(first.layer)
    held = [each for each in evidence.observed(first.layer) if each.shape == seen.outputs[0].truth.shape]
    chain = [evidence.layer(name) for name in (*first.with_it, first.layer)]
    chain = [layer for layer in chain if not layer.same_as]
    linked = all(after.call.feeds == (layer.name,) for layer, after in itertools.pairwise(chain))
    if not held or len(chain) < 2 or not linked or not all(layer.outputs for layer in chain):
        return None
    source = [layer for layer in evidence.layers if (layer.name,) == chain[0].call.feeds and layer.outputs]
    left = evidence.left_by(first.layer)
    if left is None or not left.explained:  # the tensor may be another than that of the last layer
        return None
    before = source[0].outputs[0].truth if source else None
    blames = [blame for each in held if (blame := fused_chain.blamed(before, chain, each)) is not None]
    if not blames:
        return None
    blame = min(blames, key=lambda each: each.change)  # of layouts that may be meant, the one with the simplest reason
    return _moved(first, blame.layer, blame.others, blame.because)


def _moved(first: Divergence, layer: str, others: tuple[str, ...], because: str) -> Divergence:
    return replace(first, layer=layer, with_it=others, seen_in=first.seen_in or first.layer, because=because)
