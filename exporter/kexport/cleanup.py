"""What must be undone when the process leaves in the middle of something: workers, half-written folders."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

Undo = Callable[[], object]
_undoing: list[Undo] = []


def register(undo: Undo) -> None:
    """From now on `undo_all` calls `undo`."""
    _undoing.append(undo)


def forget(undo: Undo) -> None:
    """There is nothing left to undo; `undo` may already be forgotten."""
    if undo in _undoing:
        _undoing.remove(undo)


def forget_all() -> None:
    """What this process would undo is another's: it is a copy of that."""
    _undoing.clear()


@contextlib.contextmanager
def undone_by(undo: Undo) -> Iterator[None]:
    """Within the block, `undo_all` calls `undo`; the block's own end does not."""
    register(undo)
    try:
        yield
    finally:
        forget(undo)


def undo_all() -> None:
    """Undo what is under way, the latest first."""
    for undo in reversed(_undoing):
        undo()
