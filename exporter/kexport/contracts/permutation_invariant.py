"""The output does not depend on the order along an axis of the input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kexport.bundle.domain import Uniform
from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, Propose, falsify
from kexport.contracts.falsification.pairs import first_of
from kexport.contracts.filters.signals import signal_of, with_lengths
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment
from kexport.errors import UsageError
from kexport.parity.space import Population, Space, other

_LENGTHS = (2, 3, 8)
_ALONE = "every set that was tried has only one member"
_UNIT = "between two orders"


@dataclass(frozen=True)
class PermutationInvariant:
    """`f(x in another order) = f(x)`.

    Attributes:
        axis: the axis of the input, whose order is permuted; the batch is axis 0.

    Raises:
        UsageError: the axis is not an integer, or is the batch.
    """

    axis: int = 1

    kind: ClassVar[str] = "permutation_invariant"
    check = check_by_experiment

    def __post_init__(self) -> None:
        if not isinstance(self.axis, int) or self.axis == 0:
            raise UsageError(
                "contract 'permutation_invariant' needs an axis", got=self.axis, expected="an integer other than 0"
            )

    def words(self) -> str:
        """The promise as a sentence."""
        return f"is the same for every order along axis {self.axis} of the input"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for an order that changes the output; the figure is the difference."""
        function = experiment.function
        signal = signal_of(self.kind, function, self.axis)
        space = _with_keys(with_lengths(experiment.space, signal, function, _LENGTHS), signal.name)
        space.forms = [form for form in space.forms if signal.length(form) > 1]
        if not space.forms:
            return Verdict(False, None, None, _UNIT, _ALONE, ran=False)

        def measure(population: Population) -> Measured:
            first = first_of(population, function)
            second = {**first, signal.name: _by_keys(first[signal.name], population[other(signal.name)], signal.axis)}
            a, b = function(first), function(second)
            excess = np.abs(b - a).reshape(len(a), -1).max(axis=1, initial=0.0)
            return Measured(excess, 2 * experiment.slack_of(a, b))

        ways: list[Propose] = [_ordered(signal.name, signal.axis, way) for way in (_any, _neighbours, _turned)]
        return falsify(experiment, measure, unit=_UNIT, space=space, propose=ways)


def _with_keys(space: Space, name: str) -> Space:
    """The space with a second value of the input: sort keys from 0 to 1 for its members.

    Every sample is then a set and an order of it, whatever a search or a nudge does to either.
    """
    keyed = space.twice([name])
    keyed.domains = {**keyed.domains, other(name): Uniform(0.0, 1.0)}
    keyed.inputs = tuple(replace(s, dtype="float32") if s.name == other(name) else s for s in keyed.inputs)
    return keyed


def _keys_of(keys: Array, axis: int) -> Array:
    """One key for each member, of shape (samples, members): the first of those in its place."""
    moved = np.moveaxis(keys, axis, 1)
    return moved.reshape(*moved.shape[:2], -1)[..., 0]


def _by_keys(values: Array, keys: Array, axis: int) -> Array:
    """The members in the order of their keys."""
    moved = np.moveaxis(values, axis, 1)
    orders = np.argsort(_keys_of(keys, axis), axis=1, kind="stable")
    picked = np.take_along_axis(moved, orders.reshape(*orders.shape, *[1] * (moved.ndim - 2)), axis=1)
    return np.ascontiguousarray(np.moveaxis(picked, 1, axis))


def _ordered(name: str, axis: int, order: Callable[[np.random.Generator, int, int], Array]) -> Propose:
    """Keys that sort the members into an order of some kind."""

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
    """Two neighbours change places; every order is a product of such swaps."""
    orders = np.tile(np.arange(length), (count, 1))
    at = rng.integers(0, length - 1, count)
    rows = np.arange(count)
    orders[rows, at], orders[rows, at + 1] = at + 1, at
    return orders


def _turned(rng: np.random.Generator, count: int, length: int) -> Array:
    """Reversed, or rotated."""
    turned = (np.arange(length) + rng.integers(1, length, (count, 1))) % length
    return np.where(rng.random((count, 1)) < 0.3, np.arange(length)[::-1], turned)


CONTRACT = PermutationInvariant
