"""The hunt for a counterexample: corners and patterns, random samples, evolution, and gradients by finite differences.

For any samples a contract measures how far each exceeds the promise, and how much slack float arithmetic has there. A
sample that exceeds its slack is a suspect. It counts as a counterexample only if it still exceeds the slack after every
input has moved by one unit in the last place: where the model is so ill-conditioned that this changes the excess, the
sample proves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.gradient import ascent
from kexport.contracts.protocol import Effort, Experiment, Verdict
from kexport.parity.conditioning import nudged
from kexport.parity.sampler import Sampler, Trial
from kexport.parity.space import Population, Space

_BATCH = 4096
_FIRST_BATCH, _FIRST_TURNS = 256, 8  # small at first, so that a slow model gets to see every kind of sample
_NUDGES = 4
_SUSPECTS = 8
_MULTIPLE = 4.0  # of the movement that an ulp of the inputs causes, as in parity
_ASCEND_EVERY = 8  # rounds
_CLOSER, _HALF_BROKEN = 1.02, 2 / 3  # of merits: what counts as closer; and half of the slack, where a hunt goes on
_CONTEST = "contract"


@dataclass(frozen=True)
class Measured:
    """A contract's measurement of samples; all arrays of shape `(samples,)`.

    Attributes:
        excess: how far each sample exceeds the promise; negative where the promise holds. NaN counts as broken.
        slack: how much of the excess float arithmetic may cause; 0 only where nothing is tolerated.
        figure: shown in the verdict instead of the excess.
        limit: shown in the verdict instead of the slack.
        merit: the objective to climb: above 1 exactly where the excess is more than the slack, else above 0 and the
            larger the nearer to it; derived from excess and slack by default.
    """

    excess: Array
    slack: Array
    figure: Array | None = None
    limit: Array | None = None
    merit: Array | None = None


#: Measures the samples of a population.
Measure = Callable[[Population], Measured]
#: Derives new samples from given ones: samples that are likely to break a contract.
Propose = Callable[[np.random.Generator, Population], Population]
#: Describes a counterexample of one sample, for the detail of a verdict.
Describe = Callable[[Population], str]


def hunt(
    measure: Measure,
    space: Space,
    epsilon: float,
    effort: Effort,
    *,
    unit: str,
    propose: Sequence[Propose] = (),
    describe: Describe = lambda probe: "",
) -> Verdict:
    """Search for the sample that breaks a contract most.

    Args:
        measure: measures how far samples exceed the promise.
        space: the domain of the samples.
        epsilon: one unit in the last place of 1, in the coarsest arithmetic of the model.
        effort: how long to search.
        unit: the unit of the verdict.
        propose: ways to derive promising samples from random ones, used in turn with the random samples themselves.
        describe: puts a counterexample into words, for the detail.
    """
    return _Hunt(measure, space, epsilon, effort).run(unit, propose, describe)


def falsify(
    experiment: Experiment,
    measure: Measure,
    *,
    unit: str,
    space: Space | None = None,
    propose: Sequence[Propose] = (),
    describe: Describe = lambda probe: "",
) -> Verdict:
    """The hunt for an experiment.

    Args:
        experiment: the experiment.
        measure: as in `hunt`.
        unit: as in `hunt`.
        space: the space of the samples, if it is not the experiment's own: one of pairs, or with other lengths.
        propose: as in `hunt`.
        describe: as in `hunt`.
    """
    samples = experiment.space if space is None else space
    epsilon, effort = experiment.slack.epsilon, experiment.effort
    return hunt(measure, samples, epsilon, effort, unit=unit, propose=propose, describe=describe)


@dataclass(frozen=True)
class _Worst:
    """The worst sample so far."""

    merit: float
    probe: Population
    figure: float
    limit: float


class _Hunt:
    def __init__(self, measure: Measure, space: Space, epsilon: float, effort: Effort) -> None:
        self._measure_of_contract, self._space, self._epsilon, self._effort = measure, space, epsilon, effort
        self._rng = np.random.default_rng(effort.seed)
        self._deadline = time.monotonic() + effort.seconds
        self._search = Sampler(space, [_CONTEST], effort.seed, largest=_BATCH)
        self.tried = 0
        self.ill_conditioned = 0
        self._closer_at = 0  # how many had been tried when the worst came closer by more than a little
        self._close = 0.0
        self._worst: _Worst | None = None
        self._told: tuple[int, int, _Worst] | None = None

    def run(self, unit: str, propose: Sequence[Propose], describe: Describe) -> Verdict:
        counterexample = None
        for population in self._populations(propose):
            counterexample = self._judge(population)
            if counterexample is not None:
                break
        if self._told is not None and counterexample is None:
            self.tried, self.ill_conditioned, self._worst = self._told
        worst = self._worst
        if worst is None:
            return Verdict(False, None, None, unit, "no sample could be judged", tried=self.tried, ran=False)
        passed = counterexample is None
        verdict = Verdict(passed, worst.figure, worst.limit, unit, describe(worst.probe), counterexample, self.tried)
        return replace(verdict, remarks=(self._effort_words(passed),))

    def _measure(self, population: Population) -> Measured:
        """The contract's measurement; NaN and infinity, in its sums and differences too, are results."""
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            return self._measure_of_contract(population)

    def _effort_words(self, passed: bool) -> str:
        words = f"{self.tried} samples tried"
        if passed and self._told is not None:
            words += f", and others for up to {self._effort.seconds:g} s"
        elif passed and self.tried < self._effort.samples and time.monotonic() >= self._deadline:
            words += f" in {self._effort.seconds:g} s"
        return words + (f", {self.ill_conditioned} of them ill-conditioned" if self.ill_conditioned else "")

    def _populations(self, propose: Sequence[Propose]) -> Iterator[Population]:
        """The populations to judge, in order; the caller judges each before it asks for the next."""
        yield from self._effort.first
        turn, least = 0, self._effort.turns or 1
        while (left := self._effort.samples - self.tried) > 0 and (turn < least or not self._over()):
            if turn % _ASCEND_EVERY == _ASCEND_EVERY - 1 and self._worst is not None:
                yield from self._ascend(self._worst.probe)
            population = self._search.ask(min(left, _FIRST_BATCH if turn < _FIRST_TURNS else _BATCH)).population
            way = turn % (len(propose) + 1)
            if way:
                population = self._space.project(propose[way - 1](self._rng, population))
            yield population
            turn += 1
            if turn == self._effort.turns and self._worst is not None:
                self._told = self.tried, self.ill_conditioned, self._worst

    def _over(self) -> bool:
        """Whether there is no more time, or nothing more to be learnt: so many samples came no closer."""
        merit = 0.0 if self._worst is None else self._worst.merit
        if merit > _CLOSER * self._close:
            self._close, self._closer_at = merit, self.tried
        patience = self._effort.patience
        settled = patience is not None and self.tried - self._closer_at >= patience and 0 < merit < _HALF_BROKEN
        return settled or time.monotonic() >= self._deadline

    def _ascend(self, start: Population) -> Iterator[Population]:
        def merit(population: Population) -> Array:
            self.tried += len(next(iter(population.values())))
            return _merit(self._measure(population))

        yield from ascent(merit, self._space, start, self._rng)

    def _judge(self, population: Population) -> Population | None:
        """Measure samples and learn from them; returns the first counterexample, if there is one."""
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
                self._worst = _worst_of(measured, merit, row, probe)
                return probe
            merit[row] = 0.0
            self.ill_conditioned += 1
        # Suspects beyond the first few were not examined: they wait for another turn.
        merit = np.where(merit > 1, 0.0, merit)
        row = int(np.argmax(merit))
        if merit[row] > 0 and (self._worst is None or merit[row] > self._worst.merit):
            probe = {name: values[row : row + 1] for name, values in population.items()}
            self._worst = _worst_of(measured, merit, row, probe)
        form = {name: values.shape[1:] for name, values in population.items()}
        self._search.tell(Trial(population, form, ""), {_CONTEST: merit})
        return None

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


def _worst_of(measured: Measured, merit: Array, row: int, probe: Population) -> _Worst:
    figures = measured.excess if measured.figure is None else measured.figure
    limits = measured.slack if measured.limit is None else measured.limit
    return _Worst(float(merit[row]), probe, float(figures[row]), float(limits[row]))


def _merit(measured: Measured) -> Array:
    """The objective to climb, for each sample."""
    if measured.merit is not None:
        return np.where(np.isnan(measured.merit), np.inf, measured.merit)
    excess, slack = measured.excess, measured.slack
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(slack > 0, excess / slack, np.where(excess > 0, np.inf, np.minimum(excess, 0.0)))
        ratio = np.where(np.isnan(ratio), np.inf, ratio)
        return np.asarray(np.where(ratio > 1, ratio, 1.0 / (2.0 - np.minimum(ratio, 1.0))))


def _finite(population: Population, count: int) -> Array:
    """Whether all numbers of a sample are finite; contracts state nothing about other samples."""
    usable = np.ones(count, bool)
    for values in population.values():
        if values.dtype.kind in "fc":
            usable &= np.isfinite(values.reshape(count, -1)).all(axis=1)
    return usable
