"""Rounding errors of Fourier transforms: they are relative to all of the result, not to each number of it.

So a frequency that is not in the input, as all but the mean are not in a constant one, is rounding error with any
angle, or 0 by chance. Of real numbers, the mean and the highest frequency of an even length are real: an implementation
gives exactly +0 as their imaginary part.
Source: Schatzman, Accuracy of the discrete Fourier transform and the fast Fourier transform, SIAM Journal on Scientific
Computing 17(5), 1996.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from kexport.bundle.signature import Array

_AXES = {"FFT": 1, "FFT2D": 2, "FFT3D": 3}
#: Types of the operations that have such errors, and over how many of the last axes.
TRANSFORMS = {f"{prefix}{name}": axes for name, axes in _AXES.items() for prefix in ("", "I", "R", "IR")}


def error_units(name: str, result: Array, lengths: Sequence[int]) -> Array:
    """One error of each number of a transform, of the shape of its result, or a row of it.

    Args:
        name: the type of the operation.
        result: what it computes; real, or complex numbers as pairs of real ones along a last axis.
        lengths: of the axes that are transformed.
    """
    pairs = () if name.startswith("IR") else (-1,)
    axes = tuple(range(-TRANSFORMS[name] - len(pairs), 0))
    with np.errstate(all="ignore"):
        unit = np.finfo(result.dtype).eps * np.sqrt(np.mean(np.square(result), axis=axes, keepdims=True))
    units = np.broadcast_to(np.where(np.isfinite(unit), unit, 0), result.shape).astype(result.dtype)
    if name.startswith("R"):
        *outer, last = lengths
        along = [2 * np.arange(length) % length == 0 for length in outer]
        along.append(2 * np.arange(last // 2 + 1) % last == 0)
        units[..., 1][..., functools.reduce(np.logical_and.outer, along)] = 0
    return units
