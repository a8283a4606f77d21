"""The terms of a comparison of two functions: their interface, where inputs come from, and the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.domain import Domain
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, Signature
from kexport.parity.conditioning import nudged, scaled
from kexport.parity.scores import scores
from kexport.parity.space import Space
from kexport.parity.tolerance import between, for_kernels

Feeds = Mapping[str, Array]


@dataclass(frozen=True)
class Nudge:
    """Moves inputs by units in the last place; discrete inputs stay as they are.

    Attributes:
        ulp: one unit in the last place, relative to 1.
        discrete: names of the inputs with a discrete domain.
        domains: the domains that nudged inputs stay within; an input without one may leave its domain.
    """

    ulp: float
    discrete: frozenset[str]
    domains: Mapping[str, Domain]

    def __call__(self, feeds: Feeds, rng: np.random.Generator, ulps: int = 1) -> dict[str, Array]:
        """Every real number of the inputs moved by `ulps` units in the last place, up or down at random."""
        return {
            name: value if name in self.discrete else nudged(value, rng, ulps * self.ulp, self.domains.get(name))
            for name, value in feeds.items()
        }

    def together(self, feeds: Feeds, ulps: int) -> dict[str, Array] | None:
        """Every real number of the inputs moved by `ulps` units in the last place in one direction: equal ones stay so.

        None where that leaves a domain.
        """
        factor, moved = 1.0 + ulps * self.ulp, {}
        for name, value in feeds.items():
            moved[name] = value if name in self.discrete else scaled(value, factor)
            domain = None if name in self.discrete else self.domains.get(name)
            if domain is not None and moved[name].dtype.kind == "f":
                finite = np.isfinite(value)
                if (domain.project(moved[name])[finite] != moved[name][finite]).any():
                    return None
        return moved


@dataclass(frozen=True)
class Terms:
    """The terms of a comparison of two functions.

    Attributes:
        signature: their common signature.
        space: where samples come from.
        limits: for each output, how far one function may be from the other.
        ulp: one unit in the last place, relative to 1, of the coarsest arithmetic in the model.
    """

    signature: Signature
    space: Space
    limits: Mapping[str, OutputLimit]
    ulp: float

    @property
    def batched(self) -> bool:
        """Whether the first axis of inputs and outputs counts samples."""
        return self.space.batched

    @property
    def discrete(self) -> frozenset[str]:
        """The inputs with a discrete domain."""
        return frozenset(name for name, domain in self.space.domains.items() if domain.is_discrete)

    @property
    def nudge(self) -> Nudge:
        """Moves inputs within their domains."""
        return Nudge(self.ulp, self.discrete, self.space.domains)

    @property
    def can_nudge(self) -> bool:
        """Whether any input holds real numbers that can be nudged."""
        return any(spec.is_float and spec.name not in self.discrete for spec in self.signature.inputs)

    def scores(self, values: Mapping[str, Array], references: Mapping[str, Array]) -> Array:
        """For each sample, the distance of the values from the reference, in multiples of the limit."""
        return scores(self.signature, self.limits, values, references, self.batched)


def limits_for(*sides: tuple[Sequence[OutputLimit], float]) -> dict[str, OutputLimit]:
    """The largest allowed distance of a runtime from the truth, or of two runtimes from each other, by output.

    Args:
        sides: of the runtime compared with the truth, or of each of the two compared, the limits of its artifact and
            its accumulation factor.
    """
    by_runtime = [[for_kernels(limit, factor) for limit in limits] for limits, factor in sides]
    if len(by_runtime) == 1:
        return {limit.output: limit for limit in by_runtime[0]}
    return {one.output: between(one, other) for one, other in zip(*by_runtime, strict=True)}
