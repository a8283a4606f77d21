"""Finding the first wrong layer without watching all: the artifact is cut behind one layer at a time, and run.

A cut artifact gives nothing but that layer's tensor, so that all before it is fused and placed in memory as in the
whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kexport.bundle.signature import Array
from kexport.errors import ArtifactError
from kexport.factory.localisation import layer_verdicts
from kexport.factory.localisation.layer_truth import Layer
from kexport.factory.localisation.replay_cases import Case
from kexport.factory.localisation.tensor_matching import Match
from kexport.parity import layer_report
from kexport.parity.layer_report import Parting, Row
from kexport.runtimes import Runtime


class Cuttable(Protocol):
    """What can be cut: `kexport.factory.localisation.subject.Subject` for one."""

    @property
    def runtime(self) -> Runtime:
        """That runs it."""
        ...

    def look(
        self, calls: Sequence[Mapping[str, Array]], keys: Sequence[str], *, alone: bool = False
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """The outputs by name, and the tensors by key."""
        ...


@dataclass(frozen=True)
class Cut:
    """What cutting came to.

    Attributes:
        first: the first layer behind which the cut artifact is wrong; None when it is wrong behind none.
        last: the last one leading to it behind which it is right; None when there is none.
        tried: how many were tried.
    """

    first: str | None
    last: str | None
    tried: int


def search(layers: Sequence[str], sources: Mapping[str, Collection[str]], wrong: Callable[[str], bool]) -> Cut:
    """A layer behind which the artifact is wrong, though it is right behind each that this one takes results of.

    Halving would find it on a chain. On branches a later layer may be right again: so it is looked for among those
    that lead to a wrong one, until all that lead to it are right.

    Args:
        layers: names of those whose tensors are known, in order.
        sources: of each, those whose results it takes.
        wrong: cuts behind a layer, runs, and tells whether the result is wrong.
    """
    known: dict[str, bool] = {}

    def tried(layer: str) -> bool:
        if layer not in known:
            known[layer] = wrong(layer)
        return known[layer]

    taken = {name for names in sources.values() for name in names}
    found = next((layer for layer in layers if layer not in taken and tried(layer)), None)
    at = found
    while at is not None:
        found = at
        before = _leading_to(at, sources)
        earlier = _halved([layer for layer in layers if layer in before], tried)
        found = earlier or found
        at = next((layer for layer in sources[found] if tried(layer)), None)
    right = [layer for layer in layers if known.get(layer) is False and found and layer in _leading_to(found, sources)]
    return Cut(found, right[-1] if right else None, len(known))


def _leading_to(layer: str, sources: Mapping[str, Collection[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(sources[layer])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += sources[name]
    return found


def _halved(layers: Sequence[str], wrong: Callable[[str], bool]) -> str | None:
    """The first of the layers that is wrong, when all after it are; None when the last is right."""
    low, high = 0, len(layers)  # it is right before `low`, and wrong from `high` on
    while low < high:
        middle = (low + high) // 2
        if wrong(layers[middle]):
            high = middle
        else:
            low = middle + 1
    return layers[high] if high < len(layers) else None


def cut(
    subject: Cuttable, case: Case, layers: Sequence[Layer], rows: Sequence[Row], matches: Mapping[str, Match]
) -> tuple[list[Parting], str]:
    """Where it parts, found by cutting behind the layers whose tensors are known, and how it was found, in words.

    Args:
        subject: the artifact.
        case: on which it is wrong.
        layers: of the model, in order.
        rows: of the layers.
        matches: of the layers whose tensors are known.
    """
    by_name = {layer.name: layer for layer in layers}

    def wrong(name: str) -> bool:
        key = matches[name].tensor.key
        try:
            _, values = subject.look(case.calls, [key], alone=True)
        except ArtifactError:
            return True
        summation = subject.runtime.accumulation_factor
        excess = [layer_verdicts.distance(v, values[key], summation) for v in by_name[name].values if key in values]
        return bool(excess) and min(excess) > 1

    around = {row.layer: layer_report.sources(row, rows, matches) for row in rows if row.layer in matches}
    found = search(list(around), {name: nearest for name, (nearest, _) in around.items()}, wrong)
    if found.first is None:
        return [], f"cut behind a layer instead, it is right: {found.tried} of them were tried"
    before = f"cut behind {found.last} it does not" if found.last else "no layer before it can be cut behind"
    told = f"cut behind {found.first} it fails; {before} ({found.tried} cuts)"
    return [Parting(found.first, around[found.first][1])], told
