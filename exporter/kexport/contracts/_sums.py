"""Sums along an axis."""

from __future__ import annotations

import numpy as np

from kexport.bundle.signature import Array
from kexport.errors import UsageError


def summed(values: Array, axis: int, kind: str) -> tuple[Array, int]:
    """The sums along an axis of a population, in float64, and how many elements each sum has.

    Raises:
        UsageError: the population has no such axis.
    """
    if not -values.ndim < axis < values.ndim or axis == 0:
        raise UsageError(f"contract {kind!r}: there is no axis {axis}", got=f"shape (samples, ...) = {values.shape}")
    return np.asarray(values.astype(np.float64).sum(axis=axis)), values.shape[axis]
