"""Finds the first wrong layer without observing all: the artifact is cut after one layer at a time, and run.

A cut artifact has that layer's tensor as its only output, so that everything before it is fused and placed in memory
as in the whole artifact.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kexport.bundle.signature import Array
from kexport.errors import ArtifactError
from kexport.factory.localisation import layer_verdicts
from kexport.factory.localisation.layer_output import LayerTruth
from kexport.factory.localisation.replay_cases import ReplayCase
from kexport.factory.localisation.tensor_matcher import TensorMatch
from kexport.parity import layer_report
from kexport.parity.layer_report import Divergence, LayerRow
from kexport.runtimes import Runtime


class Cuttable(Protocol):
    """An artifact that can be cut, such as `kexport.factory.localisation.artifact_probe.ArtifactProbe`."""

    @property
    def runtime(self) -> Runtime:
        """Runs the artifact."""
        ...

    def observe(
        self, calls: Sequence[Mapping[str, Array]], keys: Sequence[str], *, alone: bool = False
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """The outputs by name, and the tensors by key."""
        ...


@dataclass(frozen=True)
class Cut:
    """The result of cutting.

    Attributes:
        first: the first layer after which the cut artifact is wrong; None when it is wrong after none.
        last: the last layer leading to it after which it is right; None when there is none.
        count: the number of cuts.
    """

    first: str | None
    last: str | None
    count: int


def search(layers: Sequence[str], sources: Mapping[str, Collection[str]], wrong: Callable[[str], bool]) -> Cut:
    """Find a layer after which the artifact is wrong though it is right after each layer whose results this one takes.

    On a chain, halving would find it. On branches a later layer may be right again: so the search continues among the
    layers that lead to a wrong one, until all that lead to it are right.

    Args:
        layers: names of those whose tensors are matched, in order.
        sources: the layers whose results each of them takes.
        wrong: cuts after a layer, runs, and returns whether the result is wrong.
    """
    answers: dict[str, bool] = {}

    def is_wrong(layer: str) -> bool:
        if layer not in answers:
            answers[layer] = wrong(layer)
        return answers[layer]

    taken = {name for names in sources.values() for name in names}
    first = next((layer for layer in layers if layer not in taken and is_wrong(layer)), None)
    at = first
    while at is not None:
        before = _leading_to(at, sources)
        first = _halved([layer for layer in layers if layer in before], is_wrong) or at
        at = next((layer for layer in sources[first] if is_wrong(layer)), None)
    leading = _leading_to(first, sources) if first else set()
    right = [layer for layer in layers if answers.get(layer) is False and layer in leading]
    return Cut(first, right[-1] if right else None, len(answers))


def _leading_to(layer: str, sources: Mapping[str, Collection[str]]) -> set[str]:
    leading: set[str] = set()
    waiting = list(sources[layer])
    while waiting:
        name = waiting.pop()
        if name not in leading:
            leading.add(name)
            waiting += sources[name]
    return leading


def _halved(layers: Sequence[str], wrong: Callable[[str], bool]) -> str | None:
    """The first of the layers that is wrong, given that all after it are; None when the last one is right."""
    low, high = 0, len(layers)  # right before `low`, wrong from `high` on
    while low < high:
        middle = (low + high) // 2
        if wrong(layers[middle]):
            high = middle
        else:
            low = middle + 1
    return layers[high] if high < len(layers) else None


def cut(
    artifact: Cuttable,
    case: ReplayCase,
    layers: Sequence[LayerTruth],
    rows: Sequence[LayerRow],
    matches: Mapping[str, TensorMatch],
) -> tuple[list[Divergence], str]:
    """Where the artifact diverges, found by cutting after the layers whose tensors are matched, and a note on that.

    Args:
        artifact: the artifact to cut.
        case: a case on which it is wrong.
        layers: the layers of the model, in order.
        rows: the rows of the layers.
        matches: the match of each layer that has one, by layer name.
    """
    by_name = {layer.name: layer for layer in layers}
    factor = artifact.runtime.accumulation_factor

    def wrong(name: str) -> bool:
        key = matches[name].tensor.key
        try:
            _, values = artifact.observe(case.calls, [key], alone=True)
        except ArtifactError:
            return True
        if key not in values:
            return False
        distances = [layer_verdicts.distance(output, values[key], factor) for output in by_name[name].outputs]
        return bool(distances) and min(distances) > 1

    around = {row.layer: layer_report.sources(row, rows, matches) for row in rows if row.layer in matches}
    result = search(list(around), {name: nearest for name, (nearest, _) in around.items()}, wrong)
    if result.first is None:
        return [], f"cut after one layer at a time, the artifact is correct ({result.count} cuts)"
    before = f"cut after {result.last} it does not" if result.last else "there is no earlier layer to cut after"
    note = f"cut after {result.first} it fails; {before} ({result.count} cuts)"
    return [Divergence(result.first, around[result.first][1])], note
