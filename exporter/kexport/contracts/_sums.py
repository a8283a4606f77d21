"""Sums along an axis."""

from __future__ import annotations

import numpy as np

from kexport.bundle.signature import Array
from kexport.errors import UsageError


def summed(values: Array, axis: int, kind: str) -> tuple[Array, int]:
    """Sums in float64 along an axis of a population, and of how many elements each is.

    Raises:
        UsageError: there is no such axis.
    """
    if not -values.ndim < axis < values.ndim or axis == 0:
        raise UsageError(f"contract {kind!r}: there is no axis {axis}", got=f"shape (samples, ...) = {values.shape}")
    return np.asarray(values.astype(np.float64).sum(axis=axis)), values.shape[axis]
