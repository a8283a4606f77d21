"""Clean-ups for a process that ends in the middle of something: worker processes, half-written folders.

What an interruption leaves behind is stated here too, by whoever changes it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

CleanUp = Callable[[], object]
_registered: list[CleanUp] = []
_state = ""
_undivided = 0
_waiting: list[CleanUp] = []


def register(clean_up: CleanUp) -> None:
    """Have `undo_all` call `clean_up`."""
    _registered.append(clean_up)


def forget(clean_up: CleanUp) -> None:
    """Drop a clean-up that is no longer needed; it may have been dropped before."""
    if clean_up in _registered:
        _registered.remove(clean_up)


def forget_all() -> None:
    """Drop all clean-ups: after a fork they belong to the parent."""
    _registered.clear()


@contextlib.contextmanager
def undone_by(clean_up: CleanUp) -> Iterator[None]:
    """Within the block, have `undo_all` call `clean_up`; the end of the block does not call it."""
    register(clean_up)
    try:
        yield
    finally:
        forget(clean_up)


def undo_all() -> None:
    """Call every registered clean-up, the latest first."""
    for clean_up in reversed(list(_registered)):
        with contextlib.suppress(OSError):  # the others still have to run
            clean_up()


def state(words: str) -> None:
    """Say what an interruption from here on leaves behind."""
    global _state
    _state = words


def stated() -> str:
    """What an interruption leaves behind now; empty where nobody has said."""
    return _state


@contextlib.contextmanager
def undivided() -> Iterator[None]:
    """Within the block, what `postponed` is asked about waits for the end of the block."""
    global _undivided
    _undivided += 1
    try:
        yield
    finally:
        _undivided -= 1
        while not _undivided and _waiting:
            _waiting.pop()()


def is_undivided() -> bool:
    """Whether an `undivided` block is being run."""
    return bool(_undivided)


def postponed(action: CleanUp) -> bool:
    """Whether an action has to wait, as an `undivided` block is being run; it is called at the end of that block."""
    if _undivided:
        _waiting.append(action)
    return bool(_undivided)
