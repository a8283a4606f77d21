"""The output changes by no more than a constant times the change of the input."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts._contract import EFFORT, Effort, Verdict
from kexport.contracts._function import Function
from kexport.contracts._hunt import Measured, hunt
from kexport.contracts._pairs import first_of, near, second_of
from kexport.contracts._slack import Slack
from kexport.errors import UsageError
from kexport.parity.space import Population, Space

_NORMS: dict[str | int, float] = {1: 1, 2: 2, "inf": math.inf}


@dataclass(frozen=True)
class Lipschitz:
    """`|f(x) - f(x')| <= constant |x - x'|`, each norm that of all elements of a sample.

    Attributes:
        constant: the bound of the quotient.
        norm: 1, 2 or "inf", of inputs and outputs alike.

    Raises:
        UsageError: the constant is no number of at least 0, or there is no such norm.
    """

    constant: float = 1.0
    norm: int | str = 2

    kind: ClassVar[str] = "lipschitz"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.constant) and self.constant >= 0):
            raise UsageError("contract 'lipschitz' has no constant", got=self.constant, expected="a number, 0 or more")
        if self.norm not in _NORMS:
            raise UsageError("contract 'lipschitz' knows no such norm", got=self.norm, expected='1, 2 or "inf"')

    def words(self) -> str:
        """The promise as a sentence."""
        return f"changes at most {self.constant:g} times as much as the input, in the {self.norm}-norm"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for two inputs whose outputs lie too far apart; the figure is the quotient.

        The quotient means nothing for steps so small that float arithmetic hides them: what the difference of the
        outputs may lose is part of the limit, which so falls with the size of the step.
        """
        order = _NORMS[self.norm]

        def size(values: Array) -> Array:
            return np.asarray(np.linalg.norm(values.reshape(len(values), -1), order, axis=1))

        def measure(population: Population) -> Measured:
            first, second = first_of(population, function), second_of(population, function)
            a, b = function(first), function(second)
            steps = [
                (second[name].astype(np.float64) - first[name].astype(np.float64)).reshape(len(a), -1)
                for name in function.inputs
            ]
            step = size(np.concatenate(steps, axis=1))
            change = size(b - a)
            elements = a[0].size
            # Each of two outputs may be off by the slack in every element, in either direction.
            loss = (
                2 * {1: elements, 2: math.sqrt(elements), math.inf: 1}[order] * tolerance.of(function.outputs[0], a, b)
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                quotient = np.where(step > 0, change / step, 0.0)
                limit = np.where(step > 0, self.constant + loss / step, np.inf)
            # The quotient is climbed, not the excess, which a step of nothing keeps best.
            merit = change / (self.constant * step + loss)
            return Measured(change - self.constant * step, loss, quotient, limit, merit)

        space = domain.twice(function.inputs)
        unit = "times the step"
        return hunt(measure, space, tolerance.epsilon, effort, unit=unit, propose=[near(domain, function)])


CONTRACT = Lipschitz
