"""How far the goldens seen so far move when a weight tensor, a slice of it or one element of it changes."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.adequacy.traced_weights import TracedWeight
from kexport.factory.adequacy.view import SEEN

#: A single element is looked at through a change of half the scale of its tensor: fifty hundredths.
_HALF = 50.0
_MOST_ELEMENTS = 1 << 24  # of a tensor whose elements are looked at one by one


class Sensitivity:
    """The largest movement of an output so far, in limits, when a weight changes by a hundredth of its scale.

    Args:
        weight: the weight tensor.

    Attributes:
        along: when the whole tensor is multiplied by 1.01.
        slices: for each axis, when all elements of a slice across it change, some up and some down; NaN where that
            was not tried.
        whole: when all elements change so.
        coarse: when all elements change by the whole scale, if that was tried.
        differentiable: whether there is a gradient.
        has_steps: whether the gradient may be zero because the function has steps.
    """

    def __init__(self, weight: TracedWeight) -> None:
        self.weight = weight
        shape = weight.value.shape
        self.axes = [axis for axis, size in enumerate(shape) if size > 1] or ([0] if shape else [])
        self.slices = {axis: np.zeros(shape[axis]) for axis in self.axes}
        self.along = 0.0
        self.whole = 0.0
        self.coarse: float | None = None
        self.differentiable = False
        self.has_steps = False
        self._elements = np.zeros(shape, np.float32) if weight.value.size <= _MOST_ELEMENTS else None

    def add(self, gradient: Array, spread: float, rows: Array | None = None) -> None:
        """Learn from one gradient of the outputs, projected on random directions.

        Args:
            gradient: of the whole tensor, or of some of its rows.
            spread: by how much the projection may exceed the movement of a single element.
            rows: which rows, where it is not of the whole tensor.
        """
        self.differentiable = True
        if not np.isfinite(gradient).all():
            gradient = np.nan_to_num(gradient, nan=0.0, posinf=0.0, neginf=0.0)
        value = self.weight.value if rows is None else self.weight.value[rows]
        step = self.weight.step / spread
        self.along = max(self.along, abs(float(np.vdot(gradient, value))) * 0.01 / spread)
        squares = gradient * gradient
        self.whole = max(self.whole, float(np.sqrt(squares.sum(dtype=np.float64))) * step)
        for axis in self.axes:
            others = tuple(each for each in range(gradient.ndim) if each != axis)
            moved = np.sqrt(squares.sum(axis=others)) * step
            if rows is not None and axis == 0:
                np.maximum.at(self.slices[0], rows, moved)
            else:
                np.maximum(self.slices[axis], moved, out=self.slices[axis])
        if self._elements is not None:
            moved = np.abs(gradient) * np.float32(step)
            if rows is None:
                self._elements = np.asarray(np.maximum(self._elements, moved))
            else:
                self._elements[rows] = np.maximum(self._elements[rows], moved)

    def copy(self) -> Sensitivity:
        """The same, which learns apart."""
        other = copy.copy(self)
        other.slices = {axis: moved.copy() for axis, moved in self.slices.items()}
        other._elements = None if self._elements is None else self._elements.copy()
        return other

    @property
    def is_stepped(self) -> bool:
        """Whether only real changes show what depends on the weight."""
        return self.has_steps or not self.differentiable

    @property
    def is_silent(self) -> bool:
        """Whether not even a change of the whole scale is seen."""
        # The rounding of gradients, and of the function itself, is near the limit where nothing depends on the weight.
        coarse = self.whole * 100 if self.coarse is None else self.coarse
        return self.whole < SEEN and coarse < SEEN

    def settled(self, *, single: bool) -> bool:
        """Whether everything about the tensor is seen; `single`: each of its elements too."""
        return self.sees_scale and self.sees_slices and not (single and self.faint.any())

    @property
    def sees_scale(self) -> bool:
        """Whether a common factor is seen; a tensor of zeros has none."""
        return self.along >= SEEN or not self.weight.value.any()

    @property
    def sees_slices(self) -> bool:
        """Whether every slice is seen."""
        return self.whole >= SEEN and not any((moved < SEEN).any() for moved in self.slices.values())

    @property
    def untried(self) -> dict[int, int]:
        """For each axis with slices that nobody looked at, how many."""
        counts = {axis: int(np.isnan(moved).sum()) for axis, moved in self.slices.items()}
        return {axis: count for axis, count in counts.items() if count}

    def unseen_slices(self) -> Iterator[tuple[int, Array]]:
        """For each axis with unseen slices, their indices."""
        for axis, moved in self.slices.items():
            unseen = np.flatnonzero(moved < SEEN)
            if unseen.size:
                yield axis, unseen

    @property
    def faint(self) -> Array:
        """The elements that are not seen when they change by half of the scale."""
        if self._elements is None or self.is_stepped:
            return np.zeros(0, bool)
        return np.asarray(self._elements * _HALF < SEEN)

    @property
    def seen_elements(self) -> int:
        """How many elements are in no slice that is unseen or was not looked at, and not faint."""
        if not self.sees_slices and self.whole < SEEN:
            return 0
        unseen = np.zeros(self.weight.value.shape, bool)
        for axis, moved in self.slices.items():
            at: list[slice | Array] = [slice(None)] * unseen.ndim
            at[axis] = np.flatnonzero(~(moved >= SEEN))
            unseen[tuple(at)] = True
        if self.faint.size:
            unseen |= self.faint
        return int(unseen.size - unseen.sum())
