"""Who may be inside a model: threads that make short calls take turns, each of several calls.

To hand a lock to another thread takes longer than a short call: where eight threads did so at each call, all of them
together made a third of the calls that one makes alone.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from threading import get_ident
from typing import NoReturn, TypeVar

from kexport.errors import UsageError

T = TypeVar("T")
Act = Callable[[Sequence[T]], Sequence[T]]

_TURN = 0.01  # seconds
# Seconds until a thread that waits looks whether the other has left. Each look costs the other some 50 us; but one that
# left for good, in the middle of its turn, keeps all others waiting until the next look.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 50e-6, 2e-3
_LONG_CALL = 3 * _TURN  # a thread that is inside for longer makes no turns: it is in one call
_SHORT_CALL = 200e-6  # seconds: a shorter one is not worth another thread
_JUDGED = 64  # calls, of which the shortest tells whether they are short


class Turns:
    """Lets one thread at a time run a function, or, where it may, several if their calls are long.

    Args:
        together: whether several threads may be inside at once.
    """

    def __init__(self, *, together: bool) -> None:
        self._together = together
        # Re-entrant, so that a signal handler or a finaliser that calls the model meets an error, not a deadlock.
        self._lock = threading.RLock()
        self._inside = False
        self._last = 0  # the thread that is inside, or was
        self._queue = threading.RLock()  # of those who wait, one watches
        self._until = 0.0  # when the turn ends, if another thread waits
        # Released when a turn is over; an event has a lock inside which a signal handler would wait for for ever.
        self._over = threading.Lock()
        self._pause = _SHORTEST_PAUSE
        self._short = False
        self._durations: list[float] = []

    def run(self, act: Act[T], arrays: Sequence[T]) -> Sequence[T]:
        """Call the function; raises `UsageError` within such a call of this thread, where one may be inside."""
        if self._inside or (self._until and (self._last != get_ident() or time.perf_counter() > self._until)):
            return self._contended(act, arrays)
        if self._together:
            return self._inside_of(act, arrays)
        with self._lock:
            return self._inside_of(act, arrays)

    def _inside_of(self, act: Act[T], arrays: Sequence[T]) -> Sequence[T]:
        self._last = get_ident()
        self._inside = True
        try:
            return act(arrays)
        finally:
            self._inside = False

    def _contended(self, act: Act[T], arrays: Sequence[T]) -> Sequence[T]:
        me = get_ident()
        nested = self._inside and self._last == me  # in this order: another thread states itself before it is inside
        if nested and not self._together:
            _refuse_nested()
        if nested or (self._together and not self._short):
            return self._judged(act, arrays)
        if self._last == me:
            with contextlib.suppress(RuntimeError):  # it is released already
                self._over.release()
        with self._queue:
            self._await()
            if not self._together:
                with self._lock:
                    self._until = 0.0
                    return self._inside_of(lambda arrays: self._judged(act, arrays), arrays)
            self._until = 0.0
        return self._inside_of(lambda arrays: self._judged(act, arrays), arrays)

    def _await(self) -> None:
        """Wait until the thread inside has left, or, where it makes one long call, until others may as well come in."""
        self._over.acquire(blocking=False)
        begun = time.perf_counter()
        while self._inside and not (self._together and time.perf_counter() > begun + _LONG_CALL):
            self._until = self._until or begun + _TURN  # a signal handler may have waited meanwhile
            if self._over.acquire(timeout=self._pause):
                return
            # Each look disturbs the thread inside: they are rare where it calls again and again.
            self._pause = (
                min(2 * self._pause, _LONGEST_PAUSE) if self._inside else max(self._pause / 2, _SHORTEST_PAUSE)
            )

    def _judged(self, act: Act[T], arrays: Sequence[T]) -> Sequence[T]:
        """Call the function, and learn from the time that it takes whether calls are short."""
        begun = time.perf_counter()
        outputs = act(arrays)
        durations = self._durations  # another thread may begin anew
        durations.append(time.perf_counter() - begun)
        if len(durations) > _JUDGED:
            self._short = min(durations) < _SHORT_CALL
            self._durations = []
        return outputs


def _refuse_nested() -> NoReturn:
    raise UsageError(
        "the model was called within its own call, in one thread",
        hint="do not call it from a signal handler or a finaliser",
    )
