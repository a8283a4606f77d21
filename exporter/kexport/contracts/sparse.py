"""Most weights are zero."""

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


@dataclass(frozen=True)
class Sparse:
    """At least a given share of the weights does not exceed a threshold in magnitude.

    Attributes:
        share: the share of the elements of each weight, from 0 to 1.
        threshold: the largest magnitude that counts as zero.
        weights: names of the weights within the layer; None for all matrices, or all weights where there is no matrix.

    Raises:
        UsageError: the share is not between 0 and 1, or the threshold is negative or not finite.
    """

    share: float
    threshold: float = 0.0
    weights: str | Sequence[str] | None = None

    kind: ClassVar[str] = "sparse"

    def __post_init__(self) -> None:
        valid = isinstance(self.share, int | float) and 0 <= self.share <= 1
        if not valid or not (math.isfinite(self.threshold) and self.threshold >= 0):
            raise UsageError(
                "contract 'sparse' needs a share and a threshold",
                got=f"share {self.share}, threshold {self.threshold}",
                expected="a share from 0 to 1, and a threshold of at least 0",
            )
        object.__setattr__(self, "weights", named(self.weights))

    def words(self) -> str:
        """The promise as a sentence."""
        small = "zero" if self.threshold == 0 else f"at most {self.threshold:g} in magnitude"
        return f"has at least {100 * self.share:g} % of its weights {small}"

    def check_weights(self, weights: Mapping[str, Array]) -> Verdict:
        """Count; the figure is the smallest share of small elements, which must be at least the limit."""
        shares = {
            name: float(np.mean(np.abs(values) <= self.threshold)) if values.size else 1.0
            for name, values in chosen(weights, self.weights, self.kind).items()
        }
        name = min(shares, key=lambda each: shares[each])
        return Verdict(
            shares[name] >= self.share, shares[name], self.share, "small weights, at least", f"fewest in {name}"
        )


CONTRACT = Sparse
