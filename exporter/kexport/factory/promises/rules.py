"""Which contracts hold for one function applied to another.

`outer` is a layer, `inner` everything between an input of the model and that layer. Each is known by its contracts and
its traits. Where mathematics gives no rule, nothing is derived. A user's own kind brings its rule as a method
`after(self, inner)`, which returns the contract of the whole, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from kexport.contracts import (
    Causal,
    Conserves,
    Contract,
    Convex,
    Even,
    Linear,
    LinearTimeInvariant,
    Lipschitz,
    LowPass,
    Monotonic,
    Odd,
    PermutationInvariant,
    Scaled,
)
from kexport.factory.promises.traits import Traits

#: Kinds of contract about the output alone.
OUTPUT_KINDS = frozenset({"bounded", "finite", "sums_to", "satisfies", "rate_limited"})
#: Of these, the kinds that hold for the elements in any arrangement.
ARRANGED_KINDS = frozenset({"bounded", "finite"})
_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Stage:
    """One of two functions in a row: its contracts and its traits."""

    contracts: Sequence[Contract]
    traits: Traits

    def of(self, kind: type[_Kind]) -> list[_Kind]:
        """Its contracts of one kind."""
        return [contract for contract in self.contracts if isinstance(contract, kind)]

    @property
    def linear(self) -> bool:
        """Whether it is linear, by trait or by contract."""
        return self.traits.linear or any(
            isinstance(contract, Linear | Scaled | LinearTimeInvariant) for contract in self.contracts
        )

    @property
    def affine(self) -> bool:
        """Whether it is affine, by trait or by contract."""
        return self.traits.affine or self.linear

    @property
    def lipschitz(self) -> float | None:
        """A constant that holds in every norm, by trait or by a contract of scaling; None when none is known."""
        factors = [float(np.abs(each.factor).max()) for each in self.of(Scaled)]
        return factors[0] if factors else self.traits.lipschitz


#: A contract of the whole, and the contracts that it follows from.
Derived = tuple[Contract, list[Contract]]
_Rule = Callable[[Stage, Stage], Iterator[Derived]]


def composed(outer: Stage, inner: Stage) -> list[Derived]:
    """What holds for `outer` after `inner`."""
    if inner.traits.identity:
        return [(contract, [contract]) for contract in outer.contracts]
    if outer.traits.identity:
        return [(contract, [contract]) for contract in inner.contracts]
    derived = [each for rule in _RULES for each in rule(outer, inner)]
    for contract in outer.contracts:
        after = getattr(contract, "after", None)
        whole = after(list(inner.contracts)) if after is not None else None
        if whole is not None:
            derived.append((whole, [contract]))
    return derived


def _scaled(outer: Stage, inner: Stage) -> Iterator[Derived]:
    """Factors multiply, channel by channel."""
    for a in outer.of(Scaled):
        for b in inner.of(Scaled):
            product = np.asarray(a.factor, np.float64) * np.asarray(b.factor, np.float64)
            yield replace(a, factor=product.tolist() if product.ndim else float(product)), [a, b]


def _linear(outer: Stage, inner: Stage) -> Iterator[Derived]:
    linear = [*outer.of(Linear), *inner.of(Linear)]
    if outer.linear and inner.linear and linear:
        yield linear[0], list(linear)


def _filters(outer: Stage, inner: Stage) -> Iterator[Derived]:
    """Taps convolve. Beyond its ends the inner output counts as 0, the filtered signal does not: those are skipped."""
    for a in outer.of(LinearTimeInvariant):
        for b in inner.of(LinearTimeInvariant):
            if a.taps is None or b.taps is None or a.axis != b.axis:
                continue
            before = len(a.taps) - 1 - a.advance  # inner samples before the present one that the outer filter sees
            left = a.skip[0] if b.skip[0] == 0 and b.advance <= 0 else max(a.skip[0], b.skip[0] + max(0, before))
            right = max(a.skip[1], b.skip[1] + max(0, a.advance))
            taps = tuple(np.convolve(a.taps, b.taps).tolist())
            yield replace(a, taps=taps, advance=a.advance + b.advance, skip=(left, right)), [a, b]
    for one, other in ((outer, inner), (inner, outer)):
        for scaled in one.of(Scaled):
            for filters in other.of(LinearTimeInvariant):
                factor = scaled.factor
                if isinstance(factor, int | float) and filters.taps is not None:
                    yield replace(filters, taps=tuple(factor * tap for tap in filters.taps)), [scaled, filters]


def _low_pass(outer: Stage, inner: Stage) -> Iterator[Derived]:
    """Gains multiply, so decibels add; that holds for filters, not for anything else that keeps low sines."""
    for a in outer.of(LowPass):
        for b in inner.of(LowPass):
            filters = all(
                any(each.axis == a.axis for each in stage.of(LinearTimeInvariant)) for stage in (outer, inner)
            )
            if (a.sample_rate, a.axis) == (b.sample_rate, b.axis) and filters:
                whole = replace(
                    a,
                    pass_band=min(a.pass_band, b.pass_band),
                    stop_band=max(a.stop_band, b.stop_band),
                    ripple=a.ripple + b.ripple,
                    attenuation=a.attenuation + b.attenuation,
                )
                yield whole, [a, b]


def _causal(outer: Stage, inner: Stage) -> Iterator[Derived]:
    def causal(stage: Stage, axis: int) -> bool:
        stated = any(each.axis == axis for each in stage.of(Causal))
        filters = any(each.axis == axis and each.advance <= 0 for each in stage.of(LinearTimeInvariant))
        return stated or filters or stage.traits.pointwise

    contracts = [*outer.of(Causal), *inner.of(Causal)]
    for contract in contracts:
        if causal(outer, contract.axis) and causal(inner, contract.axis):
            yield contract, list(contracts)
            return


def _monotonic(outer: Stage, inner: Stage) -> Iterator[Derived]:
    """Directions multiply, where the outer function is monotone in one direction for all features."""
    ways = [_one_way(each.direction) for each in outer.of(Monotonic)] + [1] * outer.traits.nondecreasing
    inners = inner.of(Monotonic)
    for way in [each for each in ways if each][:1]:
        for b in inners:
            direction = way * b.direction if isinstance(b.direction, int) else tuple(way * each for each in b.direction)
            yield replace(b, direction=direction), [*outer.of(Monotonic), b]
    if inner.traits.nondecreasing and not inners:
        for a in outer.of(Monotonic):
            if inner.traits.pointwise or _one_way(a.direction):
                yield a if inner.traits.pointwise else replace(a, direction=_one_way(a.direction)), [a]


def _one_way(direction: int | Sequence[int]) -> int:
    """The direction that all features share; 0 when there is none."""
    ways = {direction} if isinstance(direction, int) else set(direction)
    return int(ways.pop()) if len(ways) == 1 else 0


def _lipschitz(outer: Stage, inner: Stage) -> Iterator[Derived]:
    """Constants of one norm multiply."""
    for a in outer.of(Lipschitz):
        if inner.lipschitz is not None:
            yield replace(a, constant=a.constant * inner.lipschitz), [a]
        for b in inner.of(Lipschitz):
            if a.norm == b.norm:
                yield replace(a, constant=a.constant * b.constant), [a, b]
    for b in inner.of(Lipschitz):
        if outer.lipschitz is not None and not any(a.norm == b.norm for a in outer.of(Lipschitz)):
            yield replace(b, constant=b.constant * outer.lipschitz), [b]


def _convex(outer: Stage, inner: Stage) -> Iterator[Derived]:
    """Convex after affine; convex and nondecreasing after convex.

    Boyd and Vandenberghe, Convex optimization, 2004, section 3.2.4 (vector composition).
    """
    rising = any(_one_way(each.direction) == 1 for each in outer.of(Monotonic))
    for a in outer.of(Convex):
        if inner.affine:
            yield a, [a]
        elif rising:
            for b in inner.of(Convex):
                yield a, [a, b]
    if outer.traits.convex and outer.traits.nondecreasing and outer.traits.pointwise:
        for b in inner.of(Convex):
            yield b, [b]


def _parity(outer: Stage, inner: Stage) -> Iterator[Derived]:
    """Anything after even is even; odd after odd is odd, and even after odd is even."""
    for b in inner.of(Even):
        yield b, [b]
    odd = bool(inner.of(Odd)) or inner.linear
    for a in outer.of(Even):
        if odd:
            yield a, [a, *inner.of(Odd)]
    both = [*outer.of(Odd), *inner.of(Odd)]
    if both and odd and (outer.of(Odd) or outer.linear):
        yield both[0], list(both)


def _permutations(outer: Stage, inner: Stage) -> Iterator[Derived]:
    """A function that ignores the order hides it from all that follow; one that acts alike on every item keeps it."""
    for b in inner.of(PermutationInvariant):
        yield b, [b]
    for a in outer.of(PermutationInvariant):
        if inner.traits.pointwise or (inner.traits.by_item and a.axis > 0):
            yield a, [a]


def _conserves(outer: Stage, inner: Stage) -> Iterator[Derived]:
    for a in outer.of(Conserves):
        for b in inner.of(Conserves):
            if a.axis == b.axis:
                yield a, [a, b]


_RULES: tuple[_Rule, ...] = (
    _scaled,
    _linear,
    _filters,
    _low_pass,
    _causal,
    _monotonic,
    _lipschitz,
    _convex,
    _parity,
    _permutations,
    _conserves,
)
