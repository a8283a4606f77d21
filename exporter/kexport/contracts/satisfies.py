"""Linear equations, or inequalities, between the elements of the output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from kexport.contracts.falsification.hunt import Measured, hunt
from kexport.contracts.protocol import EFFORT, Effort, Function, Slack, Verdict
from kexport.errors import UsageError
from kexport.parity.space import Population, Space

_RELATIONS = {"equal": "=", "at_most": "<="}


@dataclass(frozen=True)
class Satisfies:
    """`A y = b`, or `A y <= b`, for y along the last axis of the output.

    Attributes:
        A: the rows of a matrix of shape (equations, features).
        b: one number an equation.
        relation: "equal" or "at_most".

    Raises:
        UsageError: A is no matrix of finite numbers, b does not fit it, or there is no such relation.
    """

    A: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    relation: str = "equal"

    kind: ClassVar[str] = "satisfies"

    def __post_init__(self) -> None:
        matrix, right = _numbers(self.A), _numbers(self.b)
        fits = matrix.ndim == 2 and right.ndim == 1 and len(matrix) == len(right) and matrix.size > 0
        if not fits or not (np.isfinite(matrix).all() and np.isfinite(right).all()) or self.relation not in _RELATIONS:
            raise UsageError(
                "contract 'satisfies' describes no equations",
                got=f"A of shape {matrix.shape}, b of shape {right.shape}, relation {self.relation!r}",
                expected=f"finite numbers, a row of A for each of b, and one of {', '.join(_RELATIONS)}",
            )
        object.__setattr__(self, "A", tuple(map(tuple, matrix.tolist())))
        object.__setattr__(self, "b", tuple(right.tolist()))

    def words(self) -> str:
        """The promise as a sentence."""
        if len(self.A) == 1 and len(self.A[0]) <= 4:
            row = " + ".join(f"{factor:g} y{index}" for index, factor in enumerate(self.A[0]))
            return f"satisfies {row} {_RELATIONS[self.relation]} {self.b[0]:g}"
        kind = "equations" if self.relation == "equal" else "inequalities"
        return f"satisfies {len(self.A)} linear {kind} between {len(self.A[0])} features"

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = EFFORT) -> Verdict:
        """Hunt for an output off an equation; the figure is how far, of the row that is worst for its slack."""
        matrix, right = np.asarray(self.A), np.asarray(self.b)
        norms = np.maximum(np.abs(matrix).sum(axis=1), np.finfo(np.float64).tiny)

        def measure(population: Population) -> Measured:
            values = function(population)
            if values.ndim < 2 or values.shape[-1] != matrix.shape[1]:
                raise UsageError(
                    "contract 'satisfies' does not fit the output",
                    got=f"{values.shape[-1] if values.ndim > 1 else 1} features",
                    expected=f"{matrix.shape[1]}",
                )
            off = values @ matrix.T - right
            off = np.abs(off) if self.relation == "equal" else off
            off = off.reshape(len(values), -1, len(right)).max(axis=1, initial=-np.inf)
            # What the features have in common may be wrong with all of them in the worst direction.
            slack = tolerance.of(function.outputs[0], values)[:, None] * norms
            row = np.argmax(np.where(np.isnan(off), np.inf, off / norms), axis=1)
            at = (np.arange(len(values)), row)
            return Measured(off[at], slack[at])

        return hunt(measure, domain, tolerance.epsilon, effort, unit="off an equation")


def _numbers(values: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """As an array; an empty one when they are no numbers."""
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        return np.zeros(0)


CONTRACT = Satisfies
