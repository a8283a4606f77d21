"""What holds of one function after another, by kind of contract that speaks of inputs and outputs.

`outer` is a layer, `inner` all that lies between an input of the model and that layer. Each is known by what it
promises and by its traits. Where mathematics gives no rule, nothing is carried. A kind of a user's own brings its rule
as a method `after(self, inner)`, which gives the contract of the whole, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

#: Kinds that speak of the output alone.
OUTPUT_KINDS = frozenset({"bounded", "finite", "sums_to", "satisfies", "rate_limited"})
#: Of these, the kinds that hold of the elements in any arrangement.
ARRANGED_KINDS = frozenset({"bounded", "finite"})


@dataclass(frozen=True)
class Traits:
    """What is known of a function besides its promises.

    Attributes:
        identity: it gives what it takes.
        rearranges: it gives the elements that it takes, in another arrangement.
        pointwise: each output element depends on the input element at its place alone, by one function for all.
        by_item: it acts alike on everything along any axis but the last.
        linear: it is.
        affine: linear, and a constant.
        nondecreasing: in every element.
        convex: every output element is a convex function of the input.
        lipschitz: a constant that holds in the 1-norm, the 2-norm and the maximum norm; None when none is known.
    """

    identity: bool = False
    rearranges: bool = False
    pointwise: bool = False
    by_item: bool = False
    linear: bool = False
    affine: bool = False
    nondecreasing: bool = False
    convex: bool = False
    lipschitz: float | None = None

    def after(self, inner: Traits) -> Traits:
        """Of this function applied to what another one gives."""
        both = {
            name: getattr(self, name) and getattr(inner, name)
            for name in ("identity", "pointwise", "by_item", "linear", "affine", "nondecreasing")
        }
        known = self.lipschitz is not None and inner.lipschitz is not None
        constant = (self.lipschitz or 0.0) * (inner.lipschitz or 0.0) if known else None
        convex = (self.convex and inner.affine) or (
            self.convex and self.nondecreasing and self.pointwise and inner.convex
        )
        arranged = (self.rearranges or self.identity) and (inner.rearranges or inner.identity)
        return Traits(**both, rearranges=arranged, convex=convex, lipschitz=constant)


IDENTITY = Traits(True, True, True, True, True, True, True, True, 1.0)
NOTHING = Traits()


@dataclass(frozen=True)
class Side:
    """One of two functions: its promises and its traits."""

    contracts: Sequence[Any]
    traits: Traits

    def of(self, kind: str) -> Iterator[Any]:
        """Its promises of one kind."""
        return (contract for contract in self.contracts if contract.kind == kind)

    @property
    def linear(self) -> bool:
        """Whether it is, by trait or by promise."""
        kinds = ("linear", "scaled", "linear_time_invariant")
        return self.traits.linear or any(contract.kind in kinds for contract in self.contracts)

    @property
    def affine(self) -> bool:
        """Whether it is, by trait or by promise."""
        return self.traits.affine or self.linear

    @property
    def lipschitz(self) -> float | None:
        """A constant that holds in every norm, by trait or by a promise of scaling; None when none is known."""
        factors = [float(np.abs(each.factor).max()) for each in self.of("scaled")]
        return factors[0] if factors else self.traits.lipschitz


def composed(outer: Side, inner: Side) -> list[tuple[Any, list[Any]]]:
    """What holds of `outer` after `inner`, each with the promises that it follows from."""
    if inner.traits.identity:
        return [(contract, [contract]) for contract in outer.contracts]
    if outer.traits.identity:
        return [(contract, [contract]) for contract in inner.contracts]
    found = []
    for rule in _RULES:
        found += list(rule(outer, inner))
    for contract in outer.contracts:
        after = getattr(contract, "after", None)
        whole = after(list(inner.contracts)) if after is not None else None
        if whole is not None:
            found.append((whole, [contract]))
    return found


_Found = Iterator[tuple[Any, list[Any]]]


def _scaled(outer: Side, inner: Side) -> _Found:
    """Factors multiply, each channel's by itself."""
    for a in outer.of("scaled"):
        for b in inner.of("scaled"):
            product = np.asarray(a.factor, np.float64) * np.asarray(b.factor, np.float64)
            yield replace(a, factor=product.tolist() if product.ndim else float(product)), [a, b]


def _linear(outer: Side, inner: Side) -> _Found:
    if outer.linear and inner.linear:
        for contract in (*outer.of("linear"), *inner.of("linear")):
            yield contract, [*outer.of("linear"), *inner.of("linear")]
            return


def _filters(outer: Side, inner: Side) -> _Found:
    """Taps convolve. Beyond its ends the inner output counts as 0, and the filtered signal is not: that is skipped."""
    for a in outer.of("linear_time_invariant"):
        for b in inner.of("linear_time_invariant"):
            if a.taps is None or b.taps is None or a.axis != b.axis:
                continue
            before = len(a.taps) - 1 - a.advance  # inner samples before the present one that the outer filter sees
            left = a.skip[0] if b.skip[0] == 0 and b.advance <= 0 else max(a.skip[0], b.skip[0] + max(0, before))
            right = max(a.skip[1], b.skip[1] + max(0, a.advance))
            taps = tuple(np.convolve(a.taps, b.taps).tolist())
            yield replace(a, taps=taps, advance=a.advance + b.advance, skip=(left, right)), [a, b]
    for one, other in ((outer, inner), (inner, outer)):
        for a in one.of("scaled"):
            for b in other.of("linear_time_invariant"):
                if isinstance(a.factor, int | float) and b.taps is not None:
                    yield replace(b, taps=tuple(a.factor * tap for tap in b.taps)), [a, b]


def _low_pass(outer: Side, inner: Side) -> _Found:
    """Gains multiply, decibels add; that holds of filters only, not of whatever keeps low sines."""
    for a in outer.of("low_pass"):
        for b in inner.of("low_pass"):
            filters = [
                [each for each in side.of("linear_time_invariant") if each.axis == a.axis] for side in (outer, inner)
            ]
            if (a.sample_rate, a.axis) == (b.sample_rate, b.axis) and all(filters):
                edges = {"pass_band": min(a.pass_band, b.pass_band), "stop_band": max(a.stop_band, b.stop_band)}
                sums = {"ripple": a.ripple + b.ripple, "attenuation": a.attenuation + b.attenuation}
                yield replace(a, **edges, **sums), [a, b]


def _causal(outer: Side, inner: Side) -> _Found:
    def causal(side: Side, axis: int) -> bool:
        own = any(each.axis == axis for each in side.of("causal"))
        filters = any(each.axis == axis and each.advance <= 0 for each in side.of("linear_time_invariant"))
        return own or filters or side.traits.pointwise

    for contract in (*outer.of("causal"), *inner.of("causal")):
        if causal(outer, contract.axis) and causal(inner, contract.axis):
            yield contract, [*outer.of("causal"), *inner.of("causal")]
            return


def _monotonic(outer: Side, inner: Side) -> _Found:
    """Directions multiply, where all that the outer function takes moves it one way."""
    ways = [_one_way(each.direction) for each in outer.of("monotonic")] + [1] * outer.traits.nondecreasing
    inners = list(inner.of("monotonic"))
    for way in [each for each in ways if each][:1]:
        sources = list(outer.of("monotonic"))
        for b in inners:
            direction = way * b.direction if isinstance(b.direction, int) else tuple(way * each for each in b.direction)
            yield replace(b, direction=direction), [*sources, b]
    if inner.traits.nondecreasing and not inners:
        for a in outer.of("monotonic"):
            if inner.traits.pointwise or _one_way(a.direction):
                same = a if inner.traits.pointwise else replace(a, direction=_one_way(a.direction))
                yield same, [a]


def _one_way(direction: Any) -> int:
    """The direction of all features alike; 0 when there is none."""
    ways = {direction} if isinstance(direction, int) else set(direction)
    return int(ways.pop()) if len(ways) == 1 else 0


def _lipschitz(outer: Side, inner: Side) -> _Found:
    """Constants of one norm multiply."""
    for a in outer.of("lipschitz"):
        if inner.lipschitz is not None:
            yield replace(a, constant=a.constant * inner.lipschitz), [a]
        for b in inner.of("lipschitz"):
            if a.norm == b.norm:
                yield replace(a, constant=a.constant * b.constant), [a, b]
    for b in inner.of("lipschitz"):
        if outer.lipschitz is not None and not any(a.norm == b.norm for a in outer.of("lipschitz")):
            yield replace(b, constant=b.constant * outer.lipschitz), [b]


def _convex(outer: Side, inner: Side) -> _Found:
    """Convex after affine; convex and nondecreasing after convex.

    Boyd and Vandenberghe, Convex optimization, 2004, section 3.2.4 (vector composition).
    """
    rising = any(_one_way(each.direction) == 1 for each in outer.of("monotonic"))
    for a in outer.of("convex"):
        if inner.affine:
            yield a, [a]
        elif rising:
            yield from ((a, [a, b]) for b in inner.of("convex"))
    if outer.traits.convex and outer.traits.nondecreasing and outer.traits.pointwise:
        for b in inner.of("convex"):
            yield b, [b]


def _parity(outer: Side, inner: Side) -> _Found:
    """Anything after even is even; odd after odd is odd, and even after odd is even."""
    for b in inner.of("even"):
        yield b, [b]
    odd = bool(list(inner.of("odd"))) or inner.linear
    for a in outer.of("even"):
        if odd:
            yield a, [a, *inner.of("odd")]
    for a in (*outer.of("odd"), *inner.of("odd")):
        if odd and (list(outer.of("odd")) or outer.linear):
            yield a, [*outer.of("odd"), *inner.of("odd")]
            return


def _permutations(outer: Side, inner: Side) -> _Found:
    """What does not see an order hides it from all that follows; what acts on every item alike keeps it."""
    for b in inner.of("permutation_invariant"):
        yield b, [b]
    for a in outer.of("permutation_invariant"):
        if inner.traits.pointwise or (inner.traits.by_item and a.axis > 0):
            yield a, [a]


def _conserves(outer: Side, inner: Side) -> _Found:
    for a in outer.of("conserves"):
        for b in inner.of("conserves"):
            if a.axis == b.axis:
                yield a, [a, b]


_RULES: tuple[Callable[[Side, Side], _Found], ...] = (
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
