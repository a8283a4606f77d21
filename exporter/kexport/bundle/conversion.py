"""Converting values to another dtype without changing them, or saying which one would change.

Whole numbers stay what they are. Floating-point numbers are rounded as the new dtype rounds, and stay finite.
"""

from __future__ import annotations

import numpy as np

from kexport.bundle.signature import Array, TensorSpec


class ChangedValueError(ValueError):
    """A value that a conversion would change.

    Attributes:
        index: its place in the array; empty where no value of the array can be converted.
        value: the value itself.
        expected: what the new dtype can represent, in words.
    """

    def __init__(self, index: tuple[int, ...], value: object, expected: str) -> None:
        self.index, self.value, self.expected = index, value, expected
        super().__init__(f"{value} at {index}: expected {expected}")


def converted(values: Array, spec: TensorSpec) -> Array:
    """The values in the dtype of an input.

    Raises:
        ChangedValueError: one of them would become another value.
    """
    dtype = spec.numpy_dtype
    if values.dtype == dtype or values.dtype.kind == dtype.kind == "U":
        return np.ascontiguousarray(values) if values.ndim else values
    if values.dtype.kind not in "biufc" or dtype.kind not in "biufc" or (values.dtype.kind == "c" != dtype.kind):
        raise ChangedValueError((), values.dtype, _representable(spec))
    with np.errstate(all="ignore"):
        result = values.astype(dtype, order="C")
        require_unchanged(_kept(values, result), values, spec)
    return result


def require_unchanged(kept: Array, values: Array, spec: TensorSpec) -> None:
    """Raise `ChangedValueError` for the first value that is not kept."""
    if not kept.all():
        index = tuple(map(int, np.argwhere(~kept)[0]))
        raise ChangedValueError(index, values[index], _representable(spec))


def _kept(values: Array, result: Array) -> Array:
    """Which values the conversion keeps."""
    before, after = values.dtype, result.dtype
    if after.kind == "b":
        return np.isin(values, (0, 1))
    if after.kind in "iu":
        bounds = np.iinfo(after)
        if before.kind == "b":
            return np.ones(values.shape, bool)
        if before.kind in "iu":
            own = np.iinfo(before)
            return np.asarray((values >= max(bounds.min, own.min)) & (values <= min(bounds.max, own.max)))
        # The bounds are powers of two, so they are exact in every float that reaches them.
        inside = (values >= float(bounds.min)) & (values < float(bounds.max) + 1)
        return np.asarray(inside & (values == np.rint(values)))
    if before.kind in "iu":
        return whole_numbers_kept(values, result)
    return np.asarray(np.isfinite(result) == np.isfinite(values))


def whole_numbers_kept(values: Array, result: Array) -> Array:
    """Which whole numbers are the same in a floating-point dtype."""
    real: Array = result.real if result.dtype.kind == "c" else result
    bounds = np.iinfo(values.dtype)
    inside = (real >= float(bounds.min)) & (real < float(bounds.max) + 1)
    return np.asarray(inside & (np.where(inside, real, 0).astype(values.dtype) == values))


def _representable(spec: TensorSpec) -> str:
    kind = spec.numpy_dtype.kind
    if kind == "b":
        return "0 or 1"
    if kind in "iu":
        bounds = np.iinfo(spec.numpy_dtype)
        return f"a whole number from {bounds.min} to {bounds.max}"
    if kind == "U":
        return "text"
    most = np.finfo(spec.numpy_dtype)
    return f"a number of at most {float(most.max):.4g}; whole numbers are exact up to {1 << (most.nmant + 1)}"
