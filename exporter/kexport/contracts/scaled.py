"""The output is the input times a constant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.contracts.falsification.hunt import Measured, falsify
from kexport.contracts.filters.signals import only_input, require_same_shape
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment
from kexport.errors import UsageError
from kexport.parity.space import Population


@dataclass(frozen=True)
class Scaled:
    """`y = factor x` for every element.

    Attributes:
        factor: one number, or one for each channel (the last axis).

    Raises:
        UsageError: a factor is not finite, or there is none.
    """

    factor: float | tuple[float, ...]

    kind: ClassVar[str] = "scaled"
    check = check_by_experiment

    def __post_init__(self) -> None:
        try:
            many = not isinstance(self.factor, int | float)
            values = tuple(float(each) for each in self.factor) if many else (float(self.factor),)  # type: ignore[union-attr, arg-type]
        except (TypeError, ValueError):
            values = ()
        if not values or not all(map(math.isfinite, values)):
            raise UsageError(
                "contract 'scaled' needs a factor",
                got=self.factor,
                expected="a finite number, or one for each channel",
            )
        object.__setattr__(self, "factor", values if many else values[0])

    def words(self) -> str:
        """The promise as a sentence."""
        if isinstance(self.factor, tuple):
            return f"is the input times {', '.join(f'{each:g}' for each in self.factor)}, by channel"
        return f"is {self.factor:g} times the input"

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for an element other than the input's times its factor; the figure is the difference."""
        function = experiment.function
        name = only_input(self.kind, function)
        channels = len(self.factor) if isinstance(self.factor, tuple) else None

        def measure(population: Population) -> Measured:
            x, y = population[name].astype(np.float64), function(population)
            require_same_shape(self.kind, x, y)
            if channels is not None and (x.ndim < 2 or x.shape[-1] != channels):
                raise UsageError(
                    "contract 'scaled' has one factor for each channel", got=x.shape, expected=f"{channels} channels"
                )
            off = np.abs(y - np.asarray(self.factor) * x).reshape(len(x), -1)
            return Measured(off.max(axis=1, initial=-np.inf), experiment.slack_of(y))

        return falsify(experiment, measure, unit="from the scaled input")


CONTRACT = Scaled
