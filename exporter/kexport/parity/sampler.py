"""The order in which a search tries inputs: patterns and random samples first, then those and evolved ones in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.parity.evolution import EvolutionStrategy
from kexport.parity.space import PATTERNS, Form, Population, Space

_LARGEST_BATCH = 256
_ELEMENTS = 1 << 17  # of the inputs of one batch, at most, where a sample is smaller than that
_SMALL_BATCHES = (1, 2, 3, 5, 7)
_KINDS = ("random", "climb", "random", "pattern")


@dataclass(frozen=True)
class Trial:
    """Samples to evaluate together.

    Attributes:
        population: for each input, an array whose first axis counts the samples.
        form: their shapes.
        origin: how they were generated, in words.
    """

    population: Population
    form: Form
    origin: str

    @property
    def count(self) -> int:
        """The number of samples."""
        return len(next(iter(self.population.values())))

    def feeds(self, batched: bool) -> Population:
        """The inputs of one call: all samples together, or the only sample without its leading axis."""
        return self.population if batched else {name: np.array(v[0]) for name, v in self.population.items()}

    def rows(self, chosen: Array) -> Trial:
        """Some of the samples."""
        return Trial({name: values[chosen] for name, values in self.population.items()}, self.form, self.origin)


class Sampler:
    """Proposes trials, and learns how far each sample was from the reference; equal seeds propose equal trials.

    Args:
        space: where samples come from.
        targets: names of the comparisons; each has its own evolution strategy.
        seed: the seed of the random choices.
        largest: the largest batch, where its samples are small.
    """

    def __init__(self, space: Space, targets: Sequence[str], seed: int, largest: int = _LARGEST_BATCH) -> None:
        self._space = space
        self._largest = largest
        self._rng = np.random.default_rng(seed)
        self._strategies = {name: EvolutionStrategy(space) for name in targets}
        self._round = 0
        self._patterns = 0
        self._forms: list[Form] = []

    def ask(self, most: int) -> Trial:
        """The next samples, at most `most` of them."""
        index = self._round
        self._round += 1
        form = self._next_form()
        count = min(most, self._size(form, index))
        first = ("pattern", "random")[index % 2]
        kind = first if index < 2 * PATTERNS else _KINDS[index % len(_KINDS)]
        if kind == "climb":
            ready = [strategy for strategy in self._strategies.values() if strategy.ready]
            if ready:
                form, population = ready[(index // len(_KINDS)) % len(ready)].ask(self._rng, count)
                return Trial(population, form, "climbing")
        if kind == "pattern" and not self._space.recorded:
            label, population = self._space.structured(self._patterns, self._rng, count, form)
            self._patterns += 1
            return Trial(population, form, label)
        return Trial(self._space.random(self._rng, count, form), form, "random")

    def _next_form(self) -> Form:
        """Every form once in random order, then again: even a short search then covers many forms."""
        if not self._forms:
            self._forms = [self._space.forms[index] for index in self._rng.permutation(len(self._space.forms))]
        return self._forms.pop()

    def tell(self, trial: Trial, scores: Mapping[str, Array]) -> None:
        """Learn the scores of a trial's samples in each comparison: 1 is the limit."""
        for name, each in scores.items():
            self._strategies[name].tell(trial.population, trial.form, each)

    def drop(self, name: str) -> None:
        """Evolve no more samples for a comparison, because it has failed."""
        self._strategies.pop(name, None)

    def _size(self, form: Form, index: int) -> int:
        """Large batches, which are fast, and now and then a small one, which takes another path through a kernel."""
        size = max(1, min(self._largest, _ELEMENTS // self._space.elements(form)))
        if index % 8 == 7:
            size = min(size, _SMALL_BATCHES[(index // 8) % len(_SMALL_BATCHES)])
        return size
