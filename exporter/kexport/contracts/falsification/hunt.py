"""The hunt for a counterexample: corners and patterns, random samples, evolution, and gradients by finite differences.

For any samples a contract measures how far each exceeds the promise, and how much slack float arithmetic has there. A
sample that exceeds its slack is a suspect. It counts as a counterexample only if it still exceeds the slack after every
input has moved by one unit in the last place: where the model is so ill-conditioned that this changes the excess, the
sample proves nothing. A suspect that keeps the promise alone is a counterexample together with its batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.gradient import ascent
from kexport.contracts.falsification.longer import dynamic_sizes, longer_form
from kexport.contracts.falsification.measured import Measure, Measured
from kexport.contracts.falsification.suspects import Counterexample, Suspects, chosen, one_of
from kexport.contracts.protocol import Effort, Experiment, Verdict
from kexport.parity.conditioning import nudged
from kexport.parity.sampler import Sampler, Trial
from kexport.parity.space import Population, Space

_BATCH = 4096
_FIRST_BATCH, _FIRST_TURNS = 256, 8  # small at first, so that a slow model gets to see every kind of sample
_ASCEND_EVERY = 8  # rounds
_CLOSER, _HALF_BROKEN = 1.02, 2 / 3  # of merits: what counts as closer; and half of the slack, where a hunt goes on
_CONTEST = "contract"

__all__ = ["Describe", "Measure", "Measured", "Propose", "falsify", "hunt"]


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
        self._told: tuple[int, int, _Worst, set[int]] | None = None
        self._known = max((size for form in space.forms for size in dynamic_sizes(space, form)), default=0)
        self._lengths: set[int] = set()  # of dynamic axes, that were judged
        self._refused = 0
        self._suspects = Suspects(self._counted, self._nudged)

    def run(self, unit: str, propose: Sequence[Propose], describe: Describe) -> Verdict:
        found = None
        for population in self._populations(propose):
            found = self._judge(population)
            if found is not None:
                break
        if self._told is not None and found is None:
            self.tried, self.ill_conditioned, self._worst, self._lengths = self._told
        worst = self._worst
        if worst is None:
            return Verdict(False, None, None, unit, "no sample could be judged", tried=self.tried, ran=False)
        passed, broken_by = found is None, None if found is None else found.batch
        verdict = Verdict(passed, worst.figure, worst.limit, unit, describe(worst.probe), broken_by, self.tried)
        remarks = (found.words if found else "", self._effort_words(passed), self._lengths_words() if passed else "")
        return replace(verdict, remarks=tuple(filter(None, remarks)))

    def _measure(self, population: Population) -> Measured:
        """The contract's measurement; NaN and infinity, in its sums and differences too, are results."""
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            measured = self._measure_of_contract(population)
        if (growth := self._growth(population)) == 1:
            return measured
        return replace(measured, slack=measured.slack * growth, merit=None)

    def _sizes(self, population: Population) -> list[int]:
        return dynamic_sizes(self._space, {name: values.shape[1:] for name, values in population.items()})

    def _growth(self, population: Population) -> float:
        """By how much the slack is larger than in samples of known lengths.

        The error of a sum grows at most with the number of its terms (Higham, Accuracy and Stability of Numerical
        Algorithms, 2nd edition, section 4.2).
        """
        return max(1.0, max(self._sizes(population), default=0) / max(1, self._known))

    def _longer(self, propose: Sequence[Propose]) -> Iterator[Population]:
        """A few samples longer than those that the model is known to take, of every kind; it may refuse them."""
        longer = longer_form(self._space)
        if longer is None:
            return
        (form, rows), rng = longer, np.random.default_rng(self._effort.seed)
        constants = self._space.structured(0, rng, rows, form)[1]
        try:
            taken = bool(np.isfinite(self._counted(constants).excess).all())  # a table may end before
        except Exception:  # noqa: BLE001  a runtime may raise anything: the model need not take the length
            taken = False
        if not taken:
            self._refused = max(self._sizes(constants))
            return
        yield constants
        for way in (None, *propose):
            population = self._space.random(rng, rows, form)
            yield population if way is None else self._space.project(way(rng, population))

    def _lengths_words(self) -> str:
        if not self._lengths:
            return ""
        refused = f"; the model does not take {self._refused}" if self._refused else ""
        return f"lengths {min(self._lengths)} to {max(self._lengths)} tried{refused}"

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
        longer_at = self._effort.turns or _FIRST_TURNS
        while (left := self._effort.samples - self.tried) > 0 and (turn < least or not self._over()):
            if turn % _ASCEND_EVERY == _ASCEND_EVERY - 1 and self._worst is not None:
                yield from self._ascend(self._worst.probe)
            population = self._search.ask(min(left, _FIRST_BATCH if turn < _FIRST_TURNS else _BATCH)).population
            way = turn % (len(propose) + 1)
            if way:
                population = self._space.project(propose[way - 1](self._rng, population))
            yield population
            turn += 1
            if turn == longer_at:
                yield from self._longer(propose)
            if turn == self._effort.turns and self._worst is not None:
                self._told = self.tried, self.ill_conditioned, self._worst, set(self._lengths)
        if turn < longer_at:
            yield from self._longer(propose)

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

    def _judge(self, population: Population) -> Counterexample | None:
        """Measure samples and learn from them; returns the first counterexample, if there is one."""
        measured = self._counted(population)
        merit = np.where(_finite(population, len(measured.excess)), _merit(measured), 0.0)
        earlier = any(population is each for each in self._effort.first)
        for row in chosen(merit):
            found = self._suspects.counterexample(population, measured, row, shrink=not earlier)
            if found is not None:
                self._worst = _worst_of(found.measured, _merit(found.measured), found.row, found.batch)
                return found
            self.ill_conditioned += 1
        # Suspects beyond the first few were not examined: they wait for another turn.
        merit = np.where(merit > 1, 0.0, merit)
        if merit.any():
            self._lengths.update(self._sizes(population))
        if self._growth(population) > 1:
            return None  # climbing is for shorter samples
        row = int(np.argmax(merit))
        if merit[row] > 0 and (self._worst is None or merit[row] > self._worst.merit):
            self._worst = _worst_of(measured, merit, row, population)
        form = {name: values.shape[1:] for name, values in population.items()}
        self._search.tell(Trial(population, form, ""), {_CONTEST: merit})
        return None

    def _counted(self, population: Population) -> Measured:
        """The measurement of samples that the verdict counts as tried; an excess that is no number is infinite."""
        measured = self._measure(population)
        self.tried += len(measured.excess)
        return replace(measured, excess=np.where(np.isnan(measured.excess), np.inf, measured.excess))

    def _nudged(self, samples: Population) -> Population:
        domains = self._space.domains
        return {name: nudged(values, self._rng, self._epsilon, domains[name]) for name, values in samples.items()}


def _worst_of(measured: Measured, merit: Array, row: int, population: Population) -> _Worst:
    figures = measured.excess if measured.figure is None else measured.figure
    limits = measured.slack if measured.limit is None else measured.limit
    return _Worst(float(merit[row]), one_of(population, row), float(figures[row]), float(limits[row]))


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
