"""The elements of the output satisfy linear equations or inequalities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts.falsification.hunt import Measured, falsify
from kexport.contracts.protocol import Experiment, Verdict, check_by_experiment
from kexport.errors import UsageError
from kexport.parity.space import Population

_RELATIONS = {"equal": "=", "at_most": "<="}


@dataclass(frozen=True)
class Satisfies:
    """`A y = b`, or `A y <= b`, for y along the last axis of the output.

    Attributes:
        A: the rows of a matrix of shape (equations, features).
        b: the right-hand side, one number for each equation.
        relation: "equal" or "at_most".

    Raises:
        UsageError: A is not a matrix of finite numbers, b does not fit it, or the relation is unknown.
    """

    A: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    relation: str = "equal"

    kind: ClassVar[str] = "satisfies"
    check = check_by_experiment

    def __post_init__(self) -> None:
        matrix, right = _numbers(self.A), _numbers(self.b)
        fits = matrix.ndim == 2 and right.ndim == 1 and len(matrix) == len(right) and matrix.size > 0
        if not fits or not (np.isfinite(matrix).all() and np.isfinite(right).all()) or self.relation not in _RELATIONS:
            raise UsageError(
                "contract 'satisfies' needs equations",
                got=f"A of shape {matrix.shape}, b of shape {right.shape}, relation {self.relation!r}",
                expected=f"finite numbers, one row of A for each element of b, and one of {', '.join(_RELATIONS)}",
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

    def examine(self, experiment: Experiment) -> Verdict:
        """Search for an output off an equation; the figure is how far, for the row that is worst for its slack."""
        matrix, right = np.asarray(self.A), np.asarray(self.b)
        norms = np.maximum(np.abs(matrix).sum(axis=1), np.finfo(np.float64).tiny)

        def measure(population: Population) -> Measured:
            values = experiment.function(population)
            if values.ndim < 2 or values.shape[-1] != matrix.shape[1]:
                raise UsageError(
                    "contract 'satisfies' does not fit the output",
                    got=f"{values.shape[-1] if values.ndim > 1 else 1} features",
                    expected=f"{matrix.shape[1]}",
                )
            off = values @ matrix.T - right
            off = np.abs(off) if self.relation == "equal" else off
            off = off.reshape(len(values), -1, len(right)).max(axis=1, initial=-np.inf)
            # An error that the features share may push all of them in the worst direction.
            slack = experiment.slack_of(values)[:, None] * norms
            row = np.argmax(np.where(np.isnan(off), np.inf, off / norms), axis=1)
            at = (np.arange(len(values)), row)
            return Measured(off[at], slack[at])

        return falsify(experiment, measure, unit="off an equation")


def _numbers(values: object) -> Array:
    """The values as float64; an empty array when they are not numbers."""
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        return np.zeros(0)


CONTRACT = Satisfies
