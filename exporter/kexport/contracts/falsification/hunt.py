"""The hunt for a violation: corners and patterns, random samples, climbs, and gradients by finite differences.

A contract says, of any samples, how far each lies beyond what is promised, and what slack float arithmetic has there.
What exceeds its slack is a suspect; it is a violation when it still is one after every input has moved by one unit in
the last place: where the model itself is so ill-conditioned that this moves the excess, nothing can be told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.gradient import ascent
from kexport.contracts.protocol import Effort, Verdict
from kexport.parity.conditioning import nudged
from kexport.parity.sampler import Search, Trial
from kexport.parity.space import Population, Space

_BATCH = 4096
_FIRST_BATCH, _FIRST_TURNS = 256, 8  # a slow model is not tried on thousands before anything else
_NUDGES = 4
_SUSPECTS = 8
_MULTIPLE = 4.0  # of what an ulp of the inputs moves, as in parity
_ASCEND_EVERY = 8  # rounds
_CONTEST = "contract"


@dataclass(frozen=True)
class Measured:
    """What a contract finds on samples; all of shape `(samples,)`.

    Attributes:
        excess: how far each lies beyond what is promised; negative where it is kept. NaN counts as broken.
        slack: how much of that float arithmetic may cause there; above 0 unless nothing at all may.
        figure: what a verdict shows in place of the excess.
        limit: what it shows in place of the slack.
        merit: what is climbed: above 1 exactly where the excess is more than the slack, else above 0 and the larger
            the nearer to it; by default it follows from excess and slack.
    """

    excess: Array
    slack: Array
    figure: Array | None = None
    limit: Array | None = None
    merit: Array | None = None


#: Measures the samples of a population.
Measure = Callable[[Population], Measured]
#: Makes other samples of some: those that a contract knows to be telling.
Propose = Callable[[np.random.Generator, Population], Population]


def hunt(
    measure: Measure,
    space: Space,
    epsilon: float,
    effort: Effort,
    *,
    unit: str,
    propose: Sequence[Propose] = (),
    describe: Callable[[Population], str] = lambda probe: "",
) -> Verdict:
    """Look for the sample on which a contract is broken most.

    Args:
        measure: tells how far samples lie beyond the promise.
        space: of the samples.
        epsilon: one unit in the last place of 1, of the coarsest arithmetic in the model.
        effort: how long to look.
        unit: of the verdict.
        propose: ways to make telling samples out of random ones, used in turn with the samples as they are.
        describe: a probe of one sample in words, for the detail.
    """
    return _Hunt(measure, space, epsilon, effort).run(unit, propose, describe)


class _Hunt:
    def __init__(self, measure: Measure, space: Space, epsilon: float, effort: Effort) -> None:
        self._own_measure, self._space, self._epsilon, self._effort = measure, space, epsilon, effort
        self._rng = np.random.default_rng(effort.seed)
        self._deadline = time.monotonic() + effort.seconds
        self._search = Search(space, [_CONTEST], effort.seed, largest=_BATCH)
        self.tried = 0
        self.unclear = 0
        self._worst: tuple[float, Population, float, float] | None = None  # merit, probe, figure, limit

    def run(self, unit: str, propose: Sequence[Propose], describe: Callable[[Population], str]) -> Verdict:
        broken = None
        for population in self._populations(propose):
            broken = self._judge(population)
            if broken is not None:
                break
        if self._worst is None:
            return Verdict(False, None, None, unit, "no sample could be judged", tried=self.tried, ran=False)
        _, probe, figure, limit = self._worst
        found = broken is not None
        words = [text for text in (describe(probe), self._effort_words(found)) if text]
        return Verdict(not found, figure, limit, unit, "; ".join(words), probe if found else None, self.tried)

    def _measure(self, population: Population) -> Measured:
        """What the contract finds; NaN and infinity, of which it makes sums and differences, are findings."""
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            return self._own_measure(population)

    def _effort_words(self, found: bool) -> str:
        words = f"{self.tried} samples tried"
        if not found and self.tried < self._effort.samples and time.monotonic() >= self._deadline:
            words += f" in {self._effort.seconds:g} s"
        return words + (f", {self.unclear} of them ill-conditioned" if self.unclear else "")

    def _populations(self, propose: Sequence[Propose]) -> Iterator[Population]:
        """What is measured, in order; the caller has told what it found before the next is asked for."""
        yield from self._effort.first
        turn = 0
        while (left := self._effort.samples - self.tried) > 0 and (turn == 0 or time.monotonic() < self._deadline):
            if turn % _ASCEND_EVERY == _ASCEND_EVERY - 1 and self._worst is not None:
                yield from self._ascend()
            population = self._search.ask(min(left, _FIRST_BATCH if turn < _FIRST_TURNS else _BATCH)).population
            way = turn % (len(propose) + 1)
            if way:
                population = self._space.project(propose[way - 1](self._rng, population))
            yield population
            turn += 1

    def _ascend(self) -> Iterator[Population]:
        assert self._worst is not None
        start = self._worst[1]

        def merit(population: Population) -> Array:
            self.tried += len(next(iter(population.values())))
            return _merit(self._measure(population))

        yield from ascent(merit, self._space, start, self._rng)

    def _judge(self, population: Population) -> Population | None:
        """Measure samples and learn from them; the first that breaks the contract, if one does."""
        measured = self._measure(population)
        count = len(measured.excess)
        self.tried += count
        usable = _finite(population, count)
        excess = np.where(np.isnan(measured.excess), np.inf, measured.excess)
        merit = np.where(usable, _merit(measured), 0.0)
        for row in np.argsort(-merit)[:_SUSPECTS]:
            if merit[row] <= 1:
                break
            probe = {name: values[row : row + 1] for name, values in population.items()}
            if self._stands(probe, excess[row], measured.slack[row]):
                self._note(measured, merit, row, probe, forced=True)
                return probe
            merit[row] = 0.0
            self.unclear += 1
        if not (merit > 1).any():
            row = int(np.argmax(merit))
        else:  # more suspects than were looked at, and those were no violations: the rest waits for another turn
            merit = np.where(merit > 1, 0.0, merit)
            row = int(np.argmax(merit))
        if merit[row] > 0:
            self._note(measured, merit, row, {name: v[row : row + 1] for name, v in population.items()})
        form = {name: values.shape[1:] for name, values in population.items()}
        self._search.tell(Trial(population, form, ""), {_CONTEST: merit})
        return None

    def _note(self, measured: Measured, merit: Array, row: int, probe: Population, forced: bool = False) -> None:
        if forced or self._worst is None or merit[row] > self._worst[0]:
            figures = measured.excess if measured.figure is None else measured.figure
            limits = measured.slack if measured.limit is None else measured.limit
            self._worst = (float(merit[row]), probe, float(figures[row]), float(limits[row]))

    def _stands(self, probe: Population, excess: float, slack: float) -> bool:
        """Whether the excess remains when every input moves by one unit in the last place."""
        if not np.isfinite(excess):
            return True
        domains = self._space.domains
        others = [
            {name: nudged(values, self._rng, self._epsilon, domains[name]) for name, values in probe.items()}
            for _ in range(_NUDGES)
        ]
        moved = self._measure({name: np.concatenate([each[name] for each in others]) for name in probe}).excess
        self.tried += _NUDGES
        movement = np.abs(np.where(np.isfinite(moved), moved, np.inf) - excess).max()
        return bool(excess > max(slack, _MULTIPLE * movement))


def _merit(measured: Measured) -> Array:
    """What is climbed."""
    if measured.merit is not None:
        return np.where(np.isnan(measured.merit), np.inf, measured.merit)
    excess, slack = measured.excess, measured.slack
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(slack > 0, excess / slack, np.where(excess > 0, np.inf, np.minimum(excess, 0.0)))
        ratio = np.where(np.isnan(ratio), np.inf, ratio)
        return np.asarray(np.where(ratio > 1, ratio, 1.0 / (2.0 - np.minimum(ratio, 1.0))))


def _finite(population: Population, count: int) -> Array:
    """Of each sample, whether all its numbers are; of no other a contract says anything."""
    usable = np.ones(count, bool)
    for values in population.values():
        if values.dtype.kind in "fc":
            usable &= np.isfinite(values.reshape(count, -1)).all(axis=1)
    return usable
