"""Projecting numbers onto an interval."""

from __future__ import annotations

import numpy as np

from kexport.bundle.signature import Array


def real_part(values: Array) -> Array:
    """The values without their imaginary parts."""
    return values.real if values.dtype.kind == "c" else values


def clamped(values: Array, low: float, high: float) -> Array:
    """The values limited to [low, high], in their own dtype; NaN becomes `high`."""
    numbers = np.asarray(real_part(values), np.float64)
    return np.fmax(np.fmin(numbers, high), low).astype(values.dtype)
