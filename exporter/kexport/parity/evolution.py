"""An evolution strategy with restarts, which makes the worst samples worse.

Its moves are those of hill climbing (steps of all sizes, in all coordinates or a few), of differential evolution
(Storn and Price, 1997: the difference of two samples added to a third) and crossover. The worst samples survive; when
they stop getting worse, the strategy restarts elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.parity.space import Form, Population, Space

_KEPT = 16
_PATIENCE = 12  # batches without gain before a restart
_GAIN = 1.02


@dataclass(frozen=True)
class Scored:
    """One sample and its distance from the reference, in multiples of the limit."""

    score: float
    sample: Population
    form: Form


class EvolutionStrategy:
    """The worst samples so far of one comparison, and new samples made from them.

    Args:
        space: where samples come from.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._elites: list[Scored] = []
        self._idle = 0

    @property
    def ready(self) -> bool:
        """Whether there are samples to start from."""
        return bool(self._elites)

    def tell(self, population: Population, form: Form, scores: Array) -> None:
        """Learn how far each sample is from the reference; ill-conditioned ones have score 0 and are forgotten."""
        before = self._elites[0].score if self._elites else 0.0
        for index in np.argsort(scores)[::-1][:_KEPT]:
            if scores[index] > 0:
                sample = {name: values[index] for name, values in population.items()}
                self._elites.append(Scored(float(scores[index]), sample, form))
        self._elites = sorted(self._elites, key=lambda each: -each.score)[:_KEPT]
        gained = bool(self._elites) and self._elites[0].score > before * _GAIN
        self._idle = 0 if gained else self._idle + 1

    def ask(self, rng: np.random.Generator, count: int) -> tuple[Form, Population]:
        """New samples near the worst ones, all of one form."""
        form = self._elites[int(rng.integers(min(4, len(self._elites))))].form
        parents = [each.sample for each in self._elites if each.form == form]
        if self._idle > _PATIENCE:
            self._elites, self._idle = [], 0
        # The first ones are chosen more often.
        chosen = (len(parents) * rng.random(count) ** 2).astype(int)
        others = rng.integers(0, len(parents), (2, count))
        return form, {name: self._moved(rng, name, parents, chosen, others) for name in form}

    def _moved(
        self, rng: np.random.Generator, name: str, parents: list[Population], chosen: Array, others: Array
    ) -> Array:
        stack = np.stack([parent[name] for parent in parents])
        base = stack[chosen]
        corners, width = self._space.domains[name].corners(), self._space.widths(name)
        if base.dtype.kind == "U" or (not corners and width == 0):
            swap = rng.random(base.shape) < 0.5
            return np.where(swap, stack[others[0]], base)
        count, shape = len(base), base.shape[1:]
        column = (count, *[1] * len(shape))
        values = base.astype(np.float64)
        size = max(1, int(np.prod(shape)))
        # A sample changes in all of its elements, in a tenth, or in one.
        share = rng.choice([1.0, 0.1, 1.0 / size], column)
        changed = rng.random(base.shape) < share
        steps = width * 10.0 ** rng.uniform(-4, -0.3, column) * rng.normal(size=base.shape)
        ends = rng.choice(np.asarray(corners or [0.0]), base.shape)
        between = values + rng.uniform(0.3, 1.0, column) * (stack[others[0]].astype(np.float64) - stack[others[1]])
        move = rng.integers(0, 6, column)
        options = [values + steps, ends, between, values * rng.uniform(0.5, 2.0, column), stack[others[0]], -values]
        moved = np.choose(np.broadcast_to(move, base.shape), [np.asarray(option, np.float64) for option in options])
        return self._space.project({name: np.where(changed, moved, values)})[name]
