"""What a command says at once, before anything is imported."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

_CLEAR = b"\r\x1b[2K"
_announced = ""


def announce(words: str, *, stays: bool = True) -> None:
    """Say what the command begins with, before anything is imported: `working` goes on from there.

    A pipe gets no line that does not stay.
    """
    global _announced
    _announced = words
    if is_terminal(sys.stderr):
        sys.stderr.write(words)
    elif stays:
        sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def forget(said: str = "") -> None:
    """Take it back on a terminal, where something else is said in its place; in a pipe `said` was the last line."""
    global _announced
    if _announced and is_terminal(sys.stderr):
        with contextlib.suppress(OSError):
            os.write(sys.stderr.fileno(), _CLEAR)
    _announced = said


def is_terminal(stream: TextIO) -> bool:
    """Whether a terminal reads the stream that moves its cursor when it is told to."""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")


def said() -> str:
    """What was announced, or was the last line of a pipe."""
    return _announced
