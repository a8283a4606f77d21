"""Closeness of arrays, in units in the last place: the only such check that the tests of this project use.

A tolerance such as 1e-5 has no stated origin, and is right for one magnitude only. Here the limit
follows from the precision of the numbers: so many units in the last place, of the whole output's scale or of each
element.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array
from kexport.parity.tolerance import EPSILON, LEAST_ULPS, largest

#: As `scale`: each element is measured in its own units in the last place.
EACH = "each"
#: Exponents of the smallest normal numbers, whose units are those of all that is smaller.
_LEAST_EXPONENTS = {"float16": -14, "float64": -1022, "complex128": -1022}


def assert_close(
    actual: npt.ArrayLike,
    expected: npt.ArrayLike,
    ulps: float = LEAST_ULPS,
    scale: float | str | Array | None = None,
    dtype: str | None = None,
) -> None:
    """Assert that two arrays hold the same numbers up to rounding.

    NaN and infinity must be at the same places. Whole numbers, booleans and texts must be equal.

    Args:
        actual: the array under test.
        expected: what it should hold, of the same shape, or one number for all elements.
        ulps: the largest distance, in units in the last place.
        scale: the magnitude whose unit counts: by default the largest of `expected`; `EACH` for that of every element;
            or a number, or an array that broadcasts, such as the sum of the magnitudes that an element adds up.
        dtype: the precision of the computation, by default that of the less precise array.

    Raises:
        AssertionError: they differ; names the worst element.
    """
    got, wanted = np.asarray(actual), np.asarray(expected)
    assert wanted.ndim == 0 or got.shape == wanted.shape, f"shape {got.shape} instead of {wanted.shape}"
    precision = dtype or _less_precise(got, wanted)
    if precision is None:
        np.testing.assert_array_equal(got, wanted)
        return
    wide = np.complex128 if "complex" in f"{got.dtype} {wanted.dtype}" else np.float64
    got, wanted = got.astype(wide), np.broadcast_to(wanted.astype(wide), got.shape)
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(got[~finite], wanted[~finite])
    distance = np.where(finite, np.abs(np.where(finite, got, 0) - np.where(finite, wanted, 0)), 0.0)
    limit = np.broadcast_to(ulps * _unit(wanted, scale, precision), got.shape)
    excess = ~(distance <= limit)
    if excess.any():
        worst = np.unravel_index(np.argmax(np.where(excess, distance - limit, -np.inf)), got.shape)
        raise AssertionError(
            f"{excess.sum()} of {got.size} elements are not close in {precision}\n"
            f"  element {[int(index) for index in worst]}: {got[worst]} instead of {wanted[worst]}\n"
            f"  distance {distance[worst]:.3g}, the limit is {limit[worst]:.3g}: {ulps:g} units in the last place"
        )


def assert_within(actual: npt.ArrayLike, expected: npt.ArrayLike, limit: OutputLimit) -> None:
    """Assert that an output lies within the limit that a bundle derived for it.

    Raises:
        AssertionError: it does not; names the worst element.
    """
    assert_close(actual, expected, limit.limit / EPSILON["float64"], limit.scale, "float64")


def _less_precise(*arrays: Array) -> str | None:
    """The dtype with the fewest digits; None where no array holds real or complex numbers."""
    dtypes = [array.dtype.name for array in arrays if array.dtype.name in EPSILON]
    return max(dtypes, key=lambda dtype: EPSILON[dtype]) if dtypes else None


def _unit(wanted: Array, scale: float | str | Array | None, dtype: str) -> Array:
    """One unit in the last place, for each element or for all."""
    if isinstance(scale, str):
        magnitudes = np.maximum(
            np.abs(np.where(np.isfinite(wanted), wanted, 1)), 2.0 ** _LEAST_EXPONENTS.get(dtype, -126)
        )
        _, exponents = np.frexp(magnitudes)
        return np.asarray(np.ldexp(EPSILON[dtype], exponents - 1))
    return np.asarray(EPSILON[dtype] * (largest(np.abs(wanted)) if scale is None else scale))
