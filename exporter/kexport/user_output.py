"""What the user's own code prints while libraries are kept quiet: it is shown, and marked as theirs."""

from __future__ import annotations

import io
import os
import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import TextIO

from kexport.code_places import is_generated, is_library, is_user_code, shown

_LONGEST = 4000  # characters of a line
_MOST = 2000  # lines; a loop that prints would hide all else


class UserOutput(io.TextIOWrapper):
    """A standard stream that passes on the lines that user code prints, with the file's name, and drops all others.

    Args:
        show: called with each line.
        beside: takes all that is written too, if anything does.
    """

    def __init__(self, show: Callable[[str], object], beside: TextIO | None = None) -> None:
        # A descriptor of its own: whoever keeps the stream may use it for as long as the process lives.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        super().__init__(io.BufferedWriter(io.FileIO(nowhere, "w", closefd=False)), "utf-8", "backslashreplace")
        weakref.finalize(self, os.close, nowhere)
        self._show, self._beside = show, beside
        self._lines = 0
        self._pending: dict[str, str] = {}

    def write(self, text: str, /) -> int:
        """Take a text; whose it is, the stack says."""
        if self._beside is not None:
            self._beside.write(text)
            self._beside.flush()
        if (author := _author(sys._getframe(1))) is not None:
            *lines, rest = (self._pending.pop(author, "") + str(text)).split("\n")
            for line in lines:
                self._say(author, line)
            if rest:
                self._pending[author] = rest
        return len(text)

    def finish(self) -> None:
        """Pass on lines that have no end."""
        while self._pending:
            self._say(*self._pending.popitem())

    def _say(self, author: str, line: str) -> None:
        self._lines += 1
        if self._lines <= _MOST:
            self._show(f"{shown(author)}: {line[:_LONGEST]}".rstrip())
        elif self._lines == _MOST + 1:
            self._show(f"{shown(author)}: ... what else it prints is left out")


def _author(frame: FrameType | None) -> str | None:
    """The file of the user's code that writes: directly, or through Python's own modules such as `pprint`."""
    while frame is not None:
        path = frame.f_code.co_filename
        if is_user_code(path):
            return path
        if is_library(path) and not is_generated(path):
            return None
        frame = frame.f_back
    return None
