"""What the goldens see of a change that is really made: where there is no gradient, or it leaves something open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.adequacy.traced_weights import TracedWeight
from kexport.factory.adequacy.view import SEEN, View
from kexport.factory.trace.program import Program
from kexport.parity.conditioning import widened
from kexport.runtimes.keras_model import to_array


class Changes:
    """The traced function on some views, with weights changed.

    Args:
        program: the traced model.
        views: the calls.
        most: how many calls of the function may be made.
    """

    def __init__(self, program: Program, views: Sequence[View], most: int) -> None:
        self._program = program
        self._views = views
        self._left = most
        self._before: dict[int, list[Array]] = {}

    @property
    def exhausted(self) -> bool:
        """Whether no more calls may be made."""
        return self._left <= 0

    def outputs(self, index: int) -> list[Array]:
        """What the unchanged function makes of a view."""
        if index not in self._before:
            self._before[index] = self._run(self._views[index])
        return self._before[index]

    def moved(self, weight: TracedWeight, changed: Array) -> float:
        """By how many limits an output moves when the weight has another value; ends at the first view that sees it."""
        most = 0.0
        dtype = weight.variable.numpy().dtype
        before = weight.variable.numpy()
        for index, view in enumerate(self._views):
            unchanged = self.outputs(index)
            try:
                weight.variable.assign(changed.astype(dtype))
                most = max(most, apart(view, unchanged, self._run(view)))
            finally:
                weight.variable.assign(before)
            if most >= SEEN or self.exhausted:
                break
        return most

    def _run(self, view: View) -> list[Array]:
        self._left -= 1
        self._program.reset()
        return [to_array(output) for output in self._program.core(*view.tensors)]


def apart(view: View, before: Sequence[Array], after: Sequence[Array]) -> float:
    """The largest distance of two results of a view, in limits."""
    most = 0.0
    for ruler, one, other in zip(view.rulers, before, after, strict=True):
        if one.shape != other.shape or ruler.shape != one.shape:
            return float("inf") if one.shape != other.shape else most
        if one.dtype.kind not in "fc":
            most = max(most, float((ruler * (one != other)).max(initial=0.0)))
            continue
        with np.errstate(invalid="ignore", over="ignore"):
            distance = np.abs(widened(one) - widened(other)) * ruler
        if (ruler * (np.isfinite(one) != np.isfinite(other))).any():
            return float("inf")
        most = max(most, float(np.nan_to_num(distance, nan=0.0).max(initial=0.0)))
    return most
