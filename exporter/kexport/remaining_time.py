"""How long a sequence of steps will go on, told from how long its steps have taken so far."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

#: The steps of a build once TensorFlow is imported, in order, by how they begin, and about how long each takes beside
#: the others: medians over networks whose builds take from 3 s to 200 s.
_BUILD = MappingProxyType({
    "loading": 2.0, "tracing": 1.5, "judging": 6.0, "writing keras": 3.0, "writing saved_model": 10.0,
    "computing": 27.0, "looking at what": 10.0, "writing onnx": 0.5, "writing tflite": 0.5,
})  # fmt: skip
_CHECKING, _SMALL, _SMALL_CHECKED, _RANGES = 40.0, 13.0, 4.5, 11.0


def build_plan(precisions: Collection[str] = (), formats: Collection[str] = ("onnx", "tflite")) -> dict[str, float]:
    """The plan of a build that writes these precisions of float32 artifacts too, for `RemainingTime`."""
    small = [f"writing {form} {each}" for form in formats for each in precisions if each != "float32"]
    ranges = {"looking at the ranges": _RANGES} if small else {}
    return {**_BUILD, **dict.fromkeys(small, _SMALL), **ranges, "checking": _CHECKING + _SMALL_CHECKED * len(small)}


class RemainingTime:
    """The time that is left of a sequence of steps.

    Args:
        plan: the steps in order, by how their names begin, and how long each takes beside the others, in any unit;
            steps that it does not name count for nothing.
    """

    def __init__(self, plan: Mapping[str, float] = MappingProxyType({})) -> None:
        self._names, self._shares = list(plan), list(plan.values())
        self._current: int | None = None
        self._next, self._since = 0, 0.0
        self._seconds = self._share = 0.0  # of the steps that are done

    def begin(self, step: str, now: float) -> None:
        """Begin a step, which ends the one before; `now` is in seconds of any clock."""
        if self._current is not None:
            self._seconds += now - self._since
            self._share += self._shares[self._current]
        named = [index for index, name in enumerate(self._names) if step.startswith(name)]
        self._current = max(named, key=lambda index: len(self._names[index]), default=None)
        self._since = now
        if self._current is not None:
            self._next = max(self._next, self._current + 1)

    def left(self, now: float, done: float | None = None) -> float | None:
        """The seconds that are left; None where nothing tells.

        Args:
            now: as in `begin`.
            done: the share of the present step that is done, where it is known.
        """
        elapsed, seconds, share = now - self._since, self._seconds, self._share
        whole = elapsed / done if done else None
        if self._current is not None:
            own = self._shares[self._current]
            overdue = share > 0 and elapsed > own * seconds / share
            if whole is not None or overdue:
                seconds, share = seconds + (whole or elapsed), share + own
            if whole is None and share > 0:
                whole = max(elapsed, own * seconds / share)
        later = sum(self._shares[self._next :])
        if later:
            return (whole or elapsed) - elapsed + later * seconds / share if share else None
        return whole - elapsed if whole is not None and (done or whole > elapsed) else None
