"""What goes wrong with integers, halves and scales: functions of an array, which keep its shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Change = Callable[[Any], Any]


def times(factor: float) -> Change:
    """All are multiplied."""
    return lambda array: array * np.asarray(factor, array.dtype)


def permuted(scales: Any) -> Any:
    """The largest stands where the smallest was, and so on."""
    flat = scales.reshape(-1).copy()
    order = np.argsort(flat)
    flat[order] = flat[order[::-1]].copy()
    return flat.reshape(scales.shape)


def the_largest(scales: Any) -> Any:
    """All are as large as the largest."""
    return np.full_like(scales, scales.max())


def one_channel(index: int, factor: float) -> Change:
    """One channel, of the first axis, is multiplied."""
    return nulled(0, index, factor)


def nulled(axis: int, index: int, factor: float = 0.0) -> Change:
    """One channel along an axis is multiplied."""

    def change(array: Any) -> Any:
        array = array.copy()
        view = np.moveaxis(array, axis, 0)
        view[index] = (view[index] * factor).astype(array.dtype)
        return array

    return change


def shifted_row(index: int) -> Change:
    """The integers of one row stand one place further."""

    def change(array: Any) -> Any:
        array = array.copy()
        array[index] = np.roll(array[index].reshape(-1), 1).reshape(array[index].shape)
        return array

    return change


def last_axis_wrapped(integers: Any) -> Any:
    """128 is added to each integer beyond a half of its range, as where 8 bits do not suffice."""
    return np.where(np.abs(integers.astype(np.int16)) > 96, integers.astype(np.int16) + 128, integers).astype(np.int8)


def unsigned(integers: Any) -> Any:
    """Bytes as they are where the zero point is 128."""
    return (integers.astype(np.int16) + 128).astype(np.uint8).view(np.int8)


def four_bits(integers: Any) -> Any:
    """The lower four bits are gone."""
    return (integers.astype(np.int16) // 16 * 16).astype(integers.dtype)


def one_saturated(integers: Any) -> Any:
    """The second largest integer is the largest that there is."""
    flat = integers.reshape(-1).copy()
    flat[np.argsort(np.abs(flat.astype(np.int16)))[flat.size // 2]] = np.iinfo(integers.dtype).max
    return flat.reshape(integers.shape)


def negated(array: Any) -> Any:
    """The number of the largest size has the other sign."""
    flat = array.reshape(-1).copy()
    index = np.argmax(np.abs(flat.astype(np.float64)))
    flat[index] = -flat[index] if flat.dtype.kind == "f" else np.clip(-int(flat[index]), -127, 127)
    return flat.reshape(array.shape)


def overflowing(biases: Any) -> Any:
    """One bias of 32 bits that is so large that the sum with products has no room."""
    biases = biases.copy()
    biases[0] = np.iinfo(np.int32).max - 8
    return biases


def overflowed(array: Any) -> Any:
    """The largest weight is infinite."""
    array = array.copy()
    flat = array.reshape(-1)
    flat[np.argmax(np.abs(flat.astype(np.float64)))] = np.inf
    return array


def flushed(array: Any) -> Any:
    """Weights below a tenth of the largest are 0."""
    return np.where(np.abs(array) < 0.1 * np.abs(array).max(), 0, array).astype(array.dtype)
