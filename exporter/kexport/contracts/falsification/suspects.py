"""Suspects: samples that exceed a promise, and whether they still do when every input moves by an ulp.

A suspect is repeated alone first. Where it keeps the promise alone, the function depends on the batch, and the suspect
is moved within the batch that it was found in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.measured import Measure, Measured
from kexport.parity.space import Population

_NUDGES = 4
_MULTIPLE = 4.0  # of the movement that an ulp of the inputs causes, as in parity
_WORST, _SPREAD = 4, 4


@dataclass(frozen=True)
class Counterexample:
    """A sample that breaks a promise, in the batch in which it does.

    Attributes:
        batch: the samples of one call; only one where the sample breaks the promise alone.
        row: which of them it is.
        measured: the measurement of the batch.
        alone: the sample breaks the promise in a call of its own too.
    """

    batch: Population
    row: int
    measured: Measured
    alone: bool

    @property
    def words(self) -> str:
        """Where in a batch it stands; empty for a sample in a call of its own."""
        count = len(self.measured.excess)
        if count == 1:
            return ""
        return f"row {self.row} of a batch of {count}" + ("" if self.alone else "; alone it keeps the promise")


class Suspects:
    """Tells counterexamples from samples on which the function is ill-conditioned.

    Args:
        measure: measures how far samples exceed the promise.
        nudge: moves every number of some samples by one unit in the last place.
    """

    def __init__(self, measure: Measure, nudge: Callable[[Population], Population]) -> None:
        self._measure, self._nudge = measure, nudge

    def counterexample(
        self, population: Population, measured: Measured, row: int, *, shrink: bool = True
    ) -> Counterexample | None:
        """The suspect as a counterexample; None where the excess does not outlast a nudge.

        Args:
            population: the batch that it was found in.
            measured: the measurement of the batch.
            row: which sample it is.
            shrink: leave out the samples after it that are not needed.
        """
        if len(measured.excess) == 1:
            return Counterexample(population, 0, measured, True) if self._stands(population, measured, 0) else None
        probe = one_of(population, row)
        single = self._measure(probe)
        alone = _breaks(single, 0)
        if alone and self._stands(probe, single, 0):
            return Counterexample(probe, 0, single, True)
        # Equal to the bit: the batch plays no part, and the excess is one of an ill-conditioned function.
        same = bool(single.excess[0] == measured.excess[row])
        if same or not self._stands(population, measured, row):
            return None
        smaller = self._smaller(population, len(measured.excess), row, alone) if shrink else None
        return smaller or Counterexample(population, row, measured, alone)

    def _stands(self, batch: Population, measured: Measured, row: int) -> bool:
        """Whether the excess remains when every input of the sample moves by one unit in the last place."""
        excess, slack = float(measured.excess[row]), float(measured.slack[row])
        if not np.isfinite(excess):
            return True
        probe, movement = one_of(batch, row), 0.0
        for _ in range(_NUDGES):
            nudged = self._nudge(probe)
            others = {name: np.concatenate([v[:row], nudged[name], v[row + 1 :]]) for name, v in batch.items()}
            moved = float(self._measure(others).excess[row])
            movement = max(movement, abs(moved - excess)) if np.isfinite(moved) else np.inf
            if not excess > max(slack, _MULTIPLE * movement):
                return False
        return True

    def _smaller(self, population: Population, count: int, row: int, alone: bool) -> Counterexample | None:
        """The first few samples of the batch, up to the suspect at least, as few as still show it."""
        least, most = row + 1, count
        found: Counterexample | None = None
        while least < most:
            size = least if found is None and most == count else (least + most) // 2
            batch = {name: values[:size] for name, values in population.items()}
            measured = self._measure(batch)
            if _breaks(measured, row):
                most, found = size, Counterexample(batch, row, measured, alone)
            else:
                least = size + 1
        return found if found is not None and self._stands(found.batch, found.measured, row) else None


def one_of(population: Population, row: int) -> Population:
    """One sample of a population, as a population."""
    return {name: values[row : row + 1] for name, values in population.items()}


def chosen(merit: Array) -> list[int]:
    """The rows to examine, of those whose merit is above 1: the worst, and some of the others.

    The worst alone may all be ill-conditioned, and hide samples that break the promise by less.
    """
    rows = [int(row) for row in np.argsort(-merit, kind="stable") if merit[row] > 1]
    worst, rest = rows[:_WORST], rows[_WORST:]
    places = np.unique(np.linspace(0, len(rest) - 1, min(_SPREAD, len(rest))).astype(int))
    return [*worst, *(rest[place] for place in places)]


def _breaks(measured: Measured, row: int) -> bool:
    return not bool(measured.excess[row] <= measured.slack[row])
