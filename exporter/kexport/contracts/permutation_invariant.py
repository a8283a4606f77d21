"""The order along an axis of the input does not count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.bundle.domain import Uniform
from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, hunt
from kexport.contracts.falsification.pairs import first_of
from kexport.contracts.filters.signals import signal_of, with_lengths
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.errors import UsageError
from kexport.parity.space import Population, Space, other

_LENGTHS = (2, 3, 8)
_ALONE = "every set that was tried has one member only"


@dataclass(frozen=True)
class PermutationInvariant:
    """`f(x in another order) = f(x)`.

    Attributes:
        axis: of the input, along which the order changes; the batch is axis 0.

    Raises:
        UsageError: the axis is no whole number, or the batch.
    """

    axis: int = 1

    kind: ClassVar[str] = "permutation_invariant"

    def __post_init__(self) -> None:
        if not isinstance(self.axis, int) or self.axis == 0:
            raise UsageError(
                "contract 'permutation_invariant' has no axis", got=self.axis, expected="a whole number other than 0"
            )

    def words(self) -> str:
        """The promise as a sentence."""
        return f"is the same for every order along axis {self.axis} of the input"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for an order that counts; the figure is the difference it makes."""
        signal = signal_of(self.kind, function, self.axis)
        space = with_lengths(domain, signal, function, _LENGTHS)
        space = _with_keys(space, signal.name)
        space.forms = [form for form in space.forms if signal.length(form) > 1]
        if not space.forms:
            return Verdict(False, None, None, _UNIT, _ALONE, ran=False)

        def measure(population: Population) -> Measured:
            first = first_of(population, function)
            second = {**first, signal.name: _by_keys(first[signal.name], population[other(signal.name)], signal.axis)}
            a, b = function(first), function(second)
            excess = np.abs(b - a).reshape(len(a), -1).max(axis=1, initial=0.0)
            return Measured(excess, 2 * tolerance.of(function.outputs[0], a, b))

        ways: list[Propose] = [_ordered(signal.name, signal.axis, way) for way in (_any, _neighbours, _turned)]
        return hunt(measure, space, tolerance.epsilon, effort, unit=_UNIT, propose=ways)


_UNIT = "between two orders"


def _with_keys(space: Space, name: str) -> Space:
    """The space with a second value of the input: keys, from 0 to 1, that say in which order its members stand.

    So every sample is a set and an order of it, whatever a search or a nudge does to either.
    """
    keyed = space.twice([name])
    keyed.domains = {**keyed.domains, other(name): Uniform(0.0, 1.0)}
    keyed.inputs = tuple(replace(s, dtype="float32") if s.name == other(name) else s for s in keyed.inputs)
    return keyed


def _keys_of(keys: Array, axis: int) -> Array:
    """One key a member, of shape (samples, members): the first of those that lie in its place."""
    moved = np.moveaxis(keys, axis, 1)
    return moved.reshape(*moved.shape[:2], -1)[..., 0]


def _by_keys(values: Array, keys: Array, axis: int) -> Array:
    """The members in the order of their keys."""
    moved = np.moveaxis(values, axis, 1)
    orders = np.argsort(_keys_of(keys, axis), axis=1, kind="stable")
    picked = np.take_along_axis(moved, orders.reshape(*orders.shape, *[1] * (moved.ndim - 2)), axis=1)
    return np.ascontiguousarray(np.moveaxis(picked, 1, axis))


def _ordered(name: str, axis: int, order: Callable[[np.random.Generator, int, int], Array]) -> Propose:
    """Keys that put the members into an order of some kind."""

    def proposed(rng: np.random.Generator, population: Population) -> Population:
        moved = np.moveaxis(population[name], axis, 1)
        count, length = moved.shape[:2]
        ranks = np.argsort(order(rng, count, length), axis=1) / max(1, length - 1)
        keys = np.broadcast_to(ranks.reshape(count, length, *[1] * (moved.ndim - 2)), moved.shape)
        return {**population, other(name): np.moveaxis(keys, 1, axis)}

    return proposed


def _any(rng: np.random.Generator, count: int, length: int) -> Array:
    return np.argsort(rng.random((count, length)), axis=1)


def _neighbours(rng: np.random.Generator, count: int, length: int) -> Array:
    """Two neighbours change places: every order comes of such changes."""
    orders = np.tile(np.arange(length), (count, 1))
    at = rng.integers(0, length - 1, count)
    rows = np.arange(count)
    orders[rows, at], orders[rows, at + 1] = at + 1, at
    return orders


def _turned(rng: np.random.Generator, count: int, length: int) -> Array:
    """Backwards, or from another beginning."""
    turned = (np.arange(length) + rng.integers(1, length, (count, 1))) % length
    return np.where(rng.random((count, 1)) < 0.3, np.arange(length)[::-1], turned)


CONTRACT = PermutationInvariant
