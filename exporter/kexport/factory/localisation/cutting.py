"""Finding the first wrong layer without watching all: the artifact is cut behind one layer at a time, and run.

A cut artifact gives nothing but that layer's tensor, so that all before it is fused and placed in memory as in the
whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kexport.bundle.signature import Array
from kexport.errors import ArtifactError
from kexport.factory.localisation import judging
from kexport.factory.localisation.cases import Case
from kexport.factory.localisation.layers import Layer
from kexport.factory.localisation.matching import Match
from kexport.parity.localisation import Parting
from kexport.runtimes._runtime import Runtime


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
        last: the last one before it behind which it is right; None when it is right behind none.
        tried: how many were tried.
    """

    first: str | None
    last: str | None
    tried: int


def bisect(layers: Sequence[str], wrong: Callable[[str], bool]) -> Cut:
    """The first of the layers, in order, behind which the artifact is wrong, when it stays so behind later ones.

    Args:
        layers: names of those whose tensors are known, in order.
        wrong: cuts behind a layer, runs, and tells whether the result is wrong.
    """
    if not layers:
        return Cut(None, None, 0)
    low, high, tried = 0, len(layers), 0  # it is right before `low`, and wrong from `high` on
    while low < high:
        middle = (low + high) // 2
        tried += 1
        if wrong(layers[middle]):
            high = middle
        else:
            low = middle + 1
    return Cut(layers[high] if high < len(layers) else None, layers[high - 1] if high else None, tried)


def cut(
    subject: Cuttable, case: Case, layers: Sequence[Layer], matches: Mapping[str, Match]
) -> tuple[list[Parting], str]:
    """Where it parts, found by cutting behind the layers whose tensors are known, and how it was found, in words."""
    by_name = {layer.name: layer for layer in layers}

    def wrong(name: str) -> bool:
        key = matches[name].tensor.key
        try:
            _, values = subject.look(case.calls, [key], alone=True)
        except ArtifactError:
            return True
        summation = subject.runtime.summation
        excess = [judging.distance(v, values[key], summation) for v in by_name[name].values if key in values]
        return bool(excess) and min(excess) > 1

    found = bisect([layer.name for layer in layers if layer.name in matches], wrong)
    if found.first is None:
        return [], f"cut behind a layer instead, it is right: {found.tried} of them were tried"
    names = [layer.name for layer in layers if not layer.step.same_as]
    between = names[names.index(found.last) + 1 if found.last else 0 : names.index(found.first)]
    before = f"cut behind {found.last} it does not" if found.last else "no layer before can be cut behind"
    return [Parting(found.first, tuple(between))], f"cut behind {found.first} it fails; {before} ({found.tried} cuts)"
