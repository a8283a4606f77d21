"""What can be wrong with stored numbers: functions from an array to another of its shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Change = Callable[[Any], Any]


def one_off(share: float) -> Change:
    """The number in the middle is off by a share of its size."""
    return _at_middle(lambda value: value * (1 + share))


def one_negated() -> Change:
    """The number in the middle has the other sign."""
    return _at_middle(lambda value: -value)


def scaled(factor: float) -> Change:
    """All are multiplied."""
    return lambda array: array * factor


def swapped(axis: int, one: int = 0, other: int = 1) -> Change:
    """Two channels are exchanged."""

    def change(array: Any) -> Any:
        order = np.arange(array.shape[axis])
        order[[one, other]] = order[[other, one]]
        return np.take(array, order, axis)

    return change


def transposed(one: int, other: int) -> Change:
    """Two axes of equal length are exchanged."""
    return lambda array: np.swapaxes(array, one, other)


def flipped(axis: int) -> Change:
    """The order along an axis is the other way round."""
    return lambda array: np.flip(array, axis)


def shifted(axis: int) -> Change:
    """Everything along an axis stands one place further; the last comes first."""
    return lambda array: np.roll(array, 1, axis)


def nought(array: Any) -> Any:
    """All are 0."""
    return np.zeros_like(array)


def halves(array: Any) -> Any:
    """Rounded to half precision."""
    return array.astype(np.float16).astype(array.dtype)


def truncated(array: Any) -> Any:
    """Rounded to bfloat16, towards zero."""
    return (array.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)


def eighths(array: Any) -> Any:
    """Rounded to 8 bits of the largest."""
    step = np.abs(array).max() / 127
    return np.round(array / step) * step


def earlier(array: Any) -> Any:
    """As it was one step of training before: every number is off by about a thousandth of the largest."""
    step = np.random.default_rng(array.size).normal(0, 1e-3, array.shape)
    return array + step * np.abs(array).max()


def constant(value: Any) -> Change:
    """All have one value."""
    return lambda array: np.full_like(array, value)


def row(index: int, source: int) -> Change:
    """One row is a copy of another."""

    def change(array: Any) -> Any:
        array = array.copy()
        array[index] = array[source]
        return array

    return change


def blocks(axis: int, order: tuple[int, ...]) -> Change:
    """Equal blocks along an axis, as of the gates of a recurrent layer, are in another order."""

    def change(array: Any) -> Any:
        parts = np.split(array, len(order), axis)
        return np.concatenate([parts[index] for index in order], axis)

    return change


def _at_middle(function: Callable[[Any], Any]) -> Change:
    def change(array: Any) -> Any:
        flat = array.reshape(-1).copy()
        flat[flat.size // 2] = function(flat[flat.size // 2])
        return flat.reshape(array.shape)

    return change
