"""The output is the input times a constant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.contracts.falsification.hunt import Measured, hunt
from kexport.contracts.filters.signals import only_input, require_same_shape
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.errors import UsageError
from kexport.parity.space import Population, Space


@dataclass(frozen=True)
class Scaled:
    """`y = factor x` for every element.

    Attributes:
        factor: a number, or one a channel (the last axis).

    Raises:
        UsageError: a factor is no finite number, or there is none.
    """

    factor: float | tuple[float, ...]

    kind: ClassVar[str] = "scaled"

    def __post_init__(self) -> None:
        try:
            many = not isinstance(self.factor, int | float)
            values = tuple(float(each) for each in self.factor) if many else (float(self.factor),)  # type: ignore[union-attr, arg-type]
        except (TypeError, ValueError):
            values = ()
        if not values or not all(map(math.isfinite, values)):
            raise UsageError(
                "contract 'scaled' has no factor", got=self.factor, expected="a finite number, or one a channel"
            )
        object.__setattr__(self, "factor", values if many else values[0])

    def words(self) -> str:
        """The promise as a sentence."""
        if isinstance(self.factor, tuple):
            return f"is the input times {', '.join(f'{each:g}' for each in self.factor)}, by channel"
        return f"is {self.factor:g} times the input"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for an element that is not the input's times its factor; the figure is how far it is off."""
        name = only_input(self.kind, function)
        channels = len(self.factor) if isinstance(self.factor, tuple) else None

        def measure(population: Population) -> Measured:
            x, y = population[name].astype(np.float64), function(population)
            require_same_shape(self.kind, x, y)
            if channels is not None and (x.ndim < 2 or x.shape[-1] != channels):
                raise UsageError(
                    "contract 'scaled' has one factor a channel", got=x.shape, expected=f"{channels} channels"
                )
            off = np.abs(y - np.asarray(self.factor) * x).reshape(len(x), -1)
            return Measured(off.max(axis=1, initial=-np.inf), tolerance.of(function.outputs[0], y))

        return hunt(measure, domain, tolerance.epsilon, effort, unit="from the scaled input")


CONTRACT = Scaled
