"""A norm of the weights stays below a bound."""

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
        bound: of the norm.
        norm: 1, 2 or "inf" (the norm of the matrix as a map, of a vector its own), "fro", or "max" (of elements); of
            weights with more axes all but the last are one.
        weights: names of the weights within the layer; None for all matrices, or all weights where there is none.

    Raises:
        UsageError: the bound is no number of at least 0, or there is no such norm.
    """

    bound: float
    norm: int | str = 2
    weights: str | Sequence[str] | None = None

    kind: ClassVar[str] = "weight_norm"

    def __post_init__(self) -> None:
        sound = isinstance(self.bound, int | float) and math.isfinite(self.bound) and self.bound >= 0
        if not sound or self.norm not in _NORMS:
            raise UsageError(
                "contract 'weight_norm' bounds nothing",
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
        own = values.astype(np.float64)
        if not np.isfinite(own).all():
            return math.inf
        if self.norm == "max":
            return float(np.abs(own).max(initial=0.0))
        if own.ndim < 2:
            return float(np.linalg.norm(own.reshape(-1), 2 if self.norm == "fro" else _NORMS[self.norm]))  # type: ignore[arg-type]
        return float(np.linalg.norm(own.reshape(-1, own.shape[-1]), _NORMS[self.norm]))  # type: ignore[arg-type]


CONTRACT = WeightNorm
