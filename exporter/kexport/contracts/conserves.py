"""The sum of the output's elements is the sum of the input's elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts._sums import summed
from kexport.contracts.falsification.hunt import Measured, falsify
from kexport.contracts.filters.signals import only_input
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment
from kexport.errors import UsageError
from kexport.parity.space import Population


@dataclass(frozen=True)
class Conserves:
    """`sum of y along the axis = sum of x along the axis`.

    Attributes:
        axis: the axis of input and output; the batch is axis 0.

    Raises:
        UsageError: the axis is not an integer.
    """

    axis: int = -1

    kind: ClassVar[str] = "conserves"
    check = check_by_experiment

    def __post_init__(self) -> None:
        if not isinstance(self.axis, int):
            raise UsageError("contract 'conserves' needs an axis", got=self.axis, expected="an integer")

    def words(self) -> str:
        """The promise as a sentence."""
        return f"has the sum of the input along axis {self.axis}"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for an input whose sum is not kept; the figure is the difference of the sums."""
        function, epsilon = experiment.function, experiment.slack.epsilon
        name, axis = only_input(self.kind, function), function.axis(self.axis)

        def measure(population: Population) -> Measured:
            y, x = function(population), population[name]
            sum_y, count_y = summed(y, axis, self.kind)
            sum_x, count_x = summed(x, axis, self.kind)
            if sum_y.shape != sum_x.shape:
                raise UsageError(
                    "contract 'conserves': the sums of input and output have different shapes",
                    got=f"an output of shape {y.shape} and an input of shape {x.shape}",
                    expected="shapes that differ along that axis only",
                )
            excess = np.abs(sum_y - sum_x).reshape(len(y), -1).max(axis=1, initial=0.0)
            # Where all elements are shifted alike, they are wrong alike, and their errors do not cancel out. A sum that
            # the function makes itself is off by n units in the last place of the sum of magnitudes (Higham, Accuracy
            # and Stability of Numerical Algorithms, 2nd edition, section 4.2).
            magnitudes = sum(_magnitude(each, axis) for each in (*population.values(), y) if each.dtype.kind == "f")
            rounding = max(count_y, count_x) * epsilon / 2 * magnitudes
            return Measured(excess, count_y * experiment.slack_of(y) + rounding)

        return falsify(experiment, measure, unit="off the sum of the input")


def _magnitude(values: Array, axis: int) -> Array:
    """For each sample, the largest sum of magnitudes along the axis; of single elements if there is no such axis."""
    sizes = np.abs(values.astype(np.float64))
    sums = sizes.sum(axis=axis) if -sizes.ndim < axis < sizes.ndim else sizes
    return np.asarray(sums.reshape(len(sizes), -1).max(axis=1, initial=0.0))


CONTRACT = Conserves
