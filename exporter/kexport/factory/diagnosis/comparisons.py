"""When two values that user code computed under two circumstances count as the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.diagnosis.replays import largest_of
from kexport.factory.diagnosis.steps import Kept
from kexport.parity.conditioning import widened
from kexport.runtimes.keras_model import to_array

_LOOSE = 1024 * 2.0**-23  # relative to the scale: no float arithmetic alone does more in a well-conditioned step
Same = Callable[[Any, Any], bool]


@dataclass(frozen=True)
class SampleRows:
    """Some samples of a batch.

    Attributes:
        start: the first.
        stop: after the last.
        batch: the size of the whole batch.
    """

    start: int
    stop: int
    batch: int

    def of(self, whole: Array, shape: tuple[int, ...]) -> Array | None:
        """The rows of an array that belong to the samples; all of it if it has no batch axis, None if unclear.

        Args:
            whole: of the whole batch.
            shape: what the samples alone have in its place.
        """
        if whole.shape == shape:
            return whole
        count = self.stop - self.start
        if whole.ndim != len(shape) or not shape or whole.shape[1:] != shape[1:]:
            return None
        each, rest = divmod(whole.shape[0], self.batch)
        if rest or each * count != shape[0]:
            return None
        return whole[self.start * each : self.stop * each]

    def counts(self, whole: Array, alone: Array) -> bool:
        """Whether the two are sizes, or sums over samples of a size, which may differ."""
        return whole.dtype.kind in "iu" and whole.ndim <= 1 and alone.shape == whole.shape


def alike(one: Array, other: Array, tolerance: Array | float | None = None) -> bool:
    """Whether two arrays are the same as far as float arithmetic can tell; shapes must be equal, dtypes need not.

    Args:
        one: an array.
        other: another.
        tolerance: how far elements may be apart; by default the loose one.
    """
    if one.shape != other.shape:
        return False
    if not (_float(one) or _float(other)):
        return bool(np.array_equal(one, other))
    if "U" in (one.dtype.kind, other.dtype.kind):
        return False
    a, b = widened(one), widened(other)
    limit = _LOOSE * max(largest_of(one), largest_of(other)) if tolerance is None else tolerance
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(a - b)
    return bool(np.all((apart <= limit) | (a == b) | (np.isnan(a) & np.isnan(b)) | np.isposinf(limit)))


def in_both_calls(one: object, other: object) -> bool:
    """Whether a value of one call and that of another on the same arguments are the same."""
    return _compared(one, other, alike, numbers=True)


def in_a_batch(rows: SampleRows) -> Same:
    """Whether a value of a whole batch and that of some of its samples fit."""

    def same(whole: Array, alone: Array) -> bool:
        part = rows.of(whole, alone.shape)
        return part is None or rows.counts(whole, alone) or alike(part, alone)

    return lambda one, other: _compared(one, other, same, numbers=False)


def when_traced(one: object, other: object) -> bool:
    """Whether a value of an eager call and that of a traced one are the same."""
    return _compared(one, other, alike, numbers=True)


def _compared(one: object, other: object, arrays: Callable[[Array, Array], bool], *, numbers: bool) -> bool:
    if isinstance(one, Kept) and isinstance(other, Kept):
        return _compared(one.content, other.content, arrays, numbers=numbers)
    if isinstance(one, tuple) and isinstance(other, tuple):
        if len(one) != len(other):
            return not numbers
        return all(_compared(a, b, arrays, numbers=numbers) for a, b in zip(one, other, strict=True))
    if _array(one) and _array(other):
        try:
            return arrays(to_array(one), to_array(other))
        except Exception:  # noqa: BLE001  a symbol of an inner graph has no value
            return True
    plain = (int, float, complex, str, bytes)
    if isinstance(one, plain) and isinstance(other, plain):
        return one == other or one != one or not (numbers or isinstance(one, float))
    return True


def _array(value: object) -> bool:
    import tensorflow as tf

    return isinstance(value, np.ndarray | np.generic | tf.Tensor)


def _float(array: Array) -> bool:
    return array.dtype.kind in "fc" or array.dtype.name == "bfloat16"
