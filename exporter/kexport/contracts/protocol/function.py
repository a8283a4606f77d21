"""The model as a contract sees it: a black box that maps samples to numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from kexport.bundle.signature import Array, TensorSpec
from kexport.parity.conditioning import widened
from kexport.parity.space import Population, Space


class Function:
    """The model in one runtime, restricted to the inputs and outputs that a contract is about.

    Args:
        call: the model: arrays by input name to arrays by output name.
        space: the domain of all its inputs; where samples cannot form a batch, each sample is one call.
        inputs: names of the inputs that the contract is about; the others are drawn with every sample.
        outputs: names of the outputs that the contract is about.

    Attributes:
        inputs: as given.
        outputs: as given.
        evaluations: how many samples have been evaluated.
        varies: whether two samples of one shape gave different values of the first output.
    """

    def __init__(
        self,
        call: Callable[[Mapping[str, Array]], Mapping[str, Array]],
        space: Space,
        inputs: Sequence[str],
        outputs: Sequence[str],
    ) -> None:
        self._call, self._space = call, space
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self.evaluations = 0
        self.varies = False
        self._first: dict[tuple[int, ...], Array] = {}
        self._names = [spec.name for spec in space.inputs]

    def __call__(self, population: Population) -> Array:
        """Compute the contract's first output, real numbers as float64; the first axis counts the samples.

        Args:
            population: for each input of the model an array whose first axis counts the samples; other names are
                ignored.
        """
        return self.all(population)[self.outputs[0]]

    def all(self, population: Population) -> dict[str, Array]:
        """Every output that the contract is about, by name, as `__call__` returns the first."""
        feeds = {name: population[name] for name in self._names}
        count = len(next(iter(feeds.values())))
        self.evaluations += count
        if self._space.batched:
            results = self._call(feeds)
            return self._watched({name: widened(results[name]) for name in self.outputs})
        rows = [self._call({name: values[row] for name, values in feeds.items()}) for row in range(count)]
        return self._watched({name: np.stack([widened(row[name]) for row in rows]) for name in self.outputs})

    def _watched(self, results: dict[str, Array]) -> dict[str, Array]:
        values = results[self.outputs[0]]
        if not self.varies and values.ndim and len(values):
            first = self._first.setdefault(values.shape[1:], values[0])
            self.varies = bool((values != first).any())
        return results

    def axis(self, axis: int) -> int:
        """The axis of a population that corresponds to a contract's axis, which counts the batch as axis 0."""
        return axis if axis < 0 or self._space.batched else axis + 1

    def spec(self, name: str) -> TensorSpec:
        """The specification of an input."""
        return next(spec for spec in self._space.inputs if spec.name == name)
