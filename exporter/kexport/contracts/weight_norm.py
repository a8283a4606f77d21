"""A norm of the weights does not exceed a bound."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kexport.bundle.signature import Array
from kexport.contracts._weights import chosen, named
from kexport.contracts.protocol import Verdict
from kexport.errors import UsageError

_NORMS: dict[int | str, float | str] = {1: 1, 2: 2, "inf": math.inf, "fro": "fro", "max": "max"}
_ULPS = 8  # by which a norm that was set to the bound in float32 may exceed it


@dataclass(frozen=True)
class WeightNorm:
    """The norm of each weight is at most a bound.

    Attributes:
        bound: the bound of the norm.
        norm: 1, 2 or "inf" (the operator norm of a matrix, the vector norm of a vector), "fro", or "max" (the largest
            element); all axes of a weight but the last are flattened into one.
        weights: names of the weights within the layer; None for all matrices, or all weights where there is no matrix.

    Raises:
        UsageError: the bound is negative or not finite, or the norm is unknown.
    """

    bound: float
    norm: int | str = 2
    weights: str | Sequence[str] | None = None

    kind: ClassVar[str] = "weight_norm"

    def __post_init__(self) -> None:
        valid = isinstance(self.bound, int | float) and math.isfinite(self.bound) and self.bound >= 0
        if not valid or self.norm not in _NORMS:
            raise UsageError(
                "contract 'weight_norm' needs a bound and a norm",
                got=f"bound {self.bound}, norm {self.norm!r}",
                expected="a number of at least 0, and one of 1, 2, inf, fro, max",
            )
        object.__setattr__(self, "weights", named(self.weights))

    def words(self) -> str:
        """The promise as a sentence."""
        return f"has weights whose {self.norm}-norm is at most {self.bound:g}"

    def check_weights(self, weights: Mapping[str, Array]) -> Verdict:
        """Measure; the figure is the largest norm."""
        norms = {name: self._of(values) for name, values in chosen(weights, self.weights, self.kind).items()}
        name = max(norms, key=lambda each: math.inf if math.isnan(norms[each]) else norms[each])
        limit = self.bound * (1 + _ULPS * 2.0**-23)
        return Verdict(norms[name] <= limit, norms[name], limit, "norm", f"largest in {name}")

    def _of(self, values: Array) -> float:
        wide = values.astype(np.float64)
        if not np.isfinite(wide).all():
            return math.inf
        if self.norm == "max":
            return float(np.abs(wide).max(initial=0.0))
        if wide.ndim < 2:
            return float(np.linalg.norm(wide.reshape(-1), 2 if self.norm == "fro" else _NORMS[self.norm]))  # type: ignore[arg-type]
        return float(np.linalg.norm(wide.reshape(-1, wide.shape[-1]), _NORMS[self.norm]))  # type: ignore[arg-type]


CONTRACT = WeightNorm
