"""Whether an output is the same for every input so far."""

from __future__ import annotations

import numpy as np

from kexport.bundle.signature import Array, TensorSpec


class Constancy:
    """Whether an output has had one value so far.

    Results of other shapes, as other lengths make them, count as the same while all their elements are one number.

    Args:
        spec: the specification of the output.
        allowed: by how much real numbers may differ and still be one value.
    """

    def __init__(self, spec: TensorSpec, allowed: float) -> None:
        self._allowed = allowed
        self._rows = bool(spec.shape) and spec.shape[0] is None
        self._first: dict[tuple[int, ...], Array] = {}
        self._count = 0
        self._varies = False

    @property
    def holds(self) -> bool:
        """Whether there were several samples, all alike."""
        return not self._varies and self._count > 1

    def add(self, values: Array) -> None:
        """Look at one more result."""
        if self._varies or not values.size:
            return
        samples = values if self._rows else values[None]
        first = self._first.setdefault(samples.shape[1:], samples[0])
        self._count += len(samples)
        self._varies = not self._alike(samples, first)
        if len(self._first) > 1 and not self._varies:
            numbers = [np.asarray(each).ravel() for each in self._first.values()]
            self._varies = not all(self._alike(each, numbers[0][0]) for each in numbers)

    def _alike(self, values: Array, value: Array) -> bool:
        equal = np.asarray(values == value)
        if values.dtype.kind in "fc":
            with np.errstate(invalid="ignore", over="ignore"):
                equal = equal | (np.abs(values - value) <= self._allowed) | (np.isnan(values) & np.isnan(value))
        return bool(equal.all())
