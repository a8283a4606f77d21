"""Clean-ups for a process that ends in the middle of something: worker processes, half-written folders."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

CleanUp = Callable[[], object]
_registered: list[CleanUp] = []


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
    for clean_up in reversed(_registered):
        clean_up()
