"""What a long operation is doing, for whoever shows it: the command line does, a library's caller need not know."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol


class Listener(Protocol):
    """Shows what is being done."""

    def step(self, words: str) -> None:
        """Begin a step, which ends the one before."""

    def advance(self, share: float | None, said: str) -> None:
        """Take how far the step is.

        Args:
            share: of it that is done, from 0 to 1; None where that is not known.
            said: figures so far, such as `"1,200 inputs, worst 0.13 of the limit"`.
        """

    def note(self, words: str) -> None:
        """Show a line that stays."""


_listener: Listener | None = None
_noted: set[str] = set()


@contextlib.contextmanager
def shown_by(listener: Listener) -> Iterator[None]:
    """Within the block, in any thread, tell the listener."""
    global _listener
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before


def step(words: str) -> None:
    """Begin a step, as `Listener.step` does."""
    if _listener is not None:
        _listener.step(words)


def advance(share: float | None, said: str = "") -> None:
    """Say how far the step is, as `Listener.advance` does."""
    if _listener is not None:
        _listener.advance(share, said)


def note(words: str) -> None:
    """Have a line shown that stays."""
    if _listener is not None:
        _noted.add(words)
        _listener.note(words)


def note_once(words: str) -> None:
    """Have a line shown that stays, unless the same line was: worker processes run the user's code again."""
    if words not in _noted:
        note(words)
