"""The elements of the output add up to what those of the input add up to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts._sums import summed
from kexport.contracts.falsification.hunt import Measured, hunt
from kexport.contracts.filters.signals import only_input
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.errors import UsageError
from kexport.parity.space import Population, Space


@dataclass(frozen=True)
class Conserves:
    """`sum of y along the axis = sum of x along the axis`.

    Attributes:
        axis: of input and output; the batch is axis 0.

    Raises:
        UsageError: the axis is no whole number.
    """

    axis: int = -1

    kind: ClassVar[str] = "conserves"

    def __post_init__(self) -> None:
        if not isinstance(self.axis, int):
            raise UsageError("contract 'conserves' has no axis", got=self.axis, expected="a whole number")

    def words(self) -> str:
        """The promise as a sentence."""
        return f"adds up along axis {self.axis} to what the input adds up to"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for an input whose sum is lost; the figure is the difference of the sums."""
        name, axis = only_input(self.kind, function), function.axis(self.axis)

        def measure(population: Population) -> Measured:
            values, given = function(population), population[name]
            ours, count = summed(values, axis, self.kind)
            theirs, taken = summed(given, axis, self.kind)
            if ours.shape != theirs.shape:
                raise UsageError(
                    "contract 'conserves': the sums of input and output do not pair",
                    got=f"shapes {values.shape} and {given.shape}",
                    expected="the same shape but for the axis",
                )
            excess = np.abs(ours - theirs).reshape(len(values), -1).max(axis=1, initial=0.0)
            # Where all elements are shifted alike, they are wrong alike, and their errors do not cancel out. A sum that
            # the function makes itself is off by n units in the last place of the sum of magnitudes (Higham, Accuracy
            # and Stability of Numerical Algorithms, 2nd edition, section 4.2).
            magnitudes = sum(
                _magnitude(each, axis) for each in (*population.values(), values) if each.dtype.kind == "f"
            )
            own = max(count, taken) * tolerance.epsilon / 2 * magnitudes
            slack = count * tolerance.of(function.outputs[0], values) + own
            return Measured(excess, slack)

        return hunt(measure, domain, tolerance.epsilon, effort, unit="off the sum of the input")


def _magnitude(values: Array, axis: int) -> Array:
    """The largest sum of magnitudes along the axis, of each sample; of single elements where there is no such axis."""
    sizes = np.abs(values.astype(np.float64))
    sums = sizes.sum(axis=axis) if -sizes.ndim < axis < sizes.ndim else sizes
    return np.asarray(sums.reshape(len(sizes), -1).max(axis=1, initial=0.0))


CONTRACT = Conserves
