"""Undoing a converter's change of layout: ONNX moves channels first, recurrent operators move time first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kexport.bundle.signature import Array


def in_layout_of(truth: Array, value: Array, recurrent: bool = False) -> Array | None:
    """The value in the truth's layout: of all layouts that fit, the one nearest to the truth; None when none fits.

    Only layouts that converters use are tried, so that a transposition by mistake stays visible. The output of a
    recurrent layer may be in the order of time where Keras has it in the order in which the steps were computed.
    """
    best, least = None, np.inf
    for candidate in _fitting(value, truth.shape, recurrent):
        with np.errstate(invalid="ignore", over="ignore"):
            distances = np.abs(np.subtract(candidate, truth, dtype=np.float64))
        distance = float(np.where(np.isfinite(distances), distances, 0.0).sum())
        if best is None or distance < least:
            best, least = candidate, distance
    return best


def every_layout(truth: Array, value: Array, recurrent: bool = False) -> list[Array]:
    """The value in each layout that fits the truth, the nearest first, then as it is where its shape is another."""
    nearest = in_layout_of(truth, value, recurrent)
    if nearest is None:
        return [value]
    found = [nearest]
    for candidate in (*_fitting(value, truth.shape, recurrent), *([value] if value.ndim == truth.ndim else [])):
        if not any(each.shape == candidate.shape and np.array_equal(each, candidate) for each in found):
            found.append(candidate)
    return found


def _fitting(value: Array, shape: tuple[int, ...], recurrent: bool) -> Iterator[Array]:
    if value.size != int(np.prod(shape, dtype=np.int64)):
        return
    for order in _orders(value.ndim):
        moved = value.transpose(order)
        if _without_ones(moved.shape) == _without_ones(shape):
            yield moved.reshape(shape)
            if recurrent and len(shape) > 1:
                yield moved.reshape(shape)[:, ::-1]
    if value.ndim != len(shape):  # axes merged, as for a matrix product
        yield value.reshape(shape)


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _orders(rank: int) -> Iterator[tuple[int, ...]]:
    axes = tuple(range(rank))
    yield axes
    if rank > 2:
        yield (0, *axes[2:], 1)  # channels first to last
        yield (0, rank - 1, *axes[1:-1])  # channels last to first
        yield (1, 0, *axes[2:])  # time first
