"""The standard streams of the command: they escape what a terminal would obey, and a failed write raises nothing.

Where a stream can no longer be written, the rest of the output is dropped and the command goes on to its end: its exit
code, and a report in a file, do not depend on who reads along. `finish` then says what was lost. That the reader of
a pipe has gone away is no failure.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import Any, TextIO

from kexport.visible import visible

_closed: set[int] = set()  # descriptors that were closed when the command began


class _Descriptor(io.FileIO):
    """A descriptor whose first failed write is kept; what follows is dropped."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:  # whatever has a buffer; it has no type before Python 3.12
        content = memoryview(data).cast("B")
        if self.fileno() in _closed:
            self.failure = self.failure or OSError(errno.EBADF, "it is closed")
        try:
            while self.failure is None:
                written = super().write(content)
                if written is not None:
                    return written
                select.select([], [self], [])  # its other users have made it non-blocking
        except OSError as error:
            self.failure = error
        return len(content)


class _Text(io.TextIOWrapper):
    """Text to a descriptor; without `styled`, escape sequences are shown and not obeyed."""

    def __init__(self, descriptor: int, *, styled: bool = False, closefd: bool = False) -> None:
        self.descriptor = _Descriptor(descriptor, "w", closefd=closefd)
        encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
        # What cannot hold our own words is a locale that nobody has set up.
        encoding = "utf-8" if encoding.lower().replace("-", "") in ("ascii", "usascii", "ansix3.41968") else encoding
        self._styled = styled
        at_once = descriptor != 1 or os.isatty(descriptor)
        super().__init__(io.BufferedWriter(self.descriptor), encoding, "backslashreplace", line_buffering=at_once)

    def write(self, text: str, /) -> int:
        super().write(text if self._styled else visible(text))
        return len(text)


_output: _Text | None = None
_errors: _Text | None = None


def take_over() -> None:
    """Make the standard streams those of the command: closed ones are opened to nowhere, and nothing is read."""
    global _output, _errors
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            _closed.add(number)
            os.open(os.devnull, os.O_RDWR)  # gets this number, the lowest that is free
    with open(os.devnull, "rb") as nowhere:
        os.dup2(nowhere.fileno(), 0)  # a model's code that asks a question would wait for ever: nobody sees it
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  the process ends with it
    _output, _errors = _Text(1), _Text(2)
    restore()


def restore() -> None:
    """Make `sys.stdout` and `sys.stderr` the command's own again, whatever code of the user's has done to them."""
    global _output, _errors
    if _output is None or _errors is None:
        return  # this process is not the command's
    _output = _Text(1) if _output.closed else _output
    _errors = _Text(2) if _errors.closed else _errors
    sys.stdout, sys.stderr = _output, _errors


def styled(stream: TextIO) -> TextIO:
    """A stream to the same place that lets escape sequences through, if a terminal reads it; else the stream itself."""
    if not stream.isatty():
        return stream
    stream.flush()
    return _Text(stream.fileno(), styled=True)


def copy_of(descriptor: int, *, like: int) -> TextIO:
    """A stream to a copy of a standard stream's descriptor, which it owns."""
    if like in _closed:
        _closed.add(descriptor)
    return _Text(descriptor, closefd=True)


def finish() -> OSError | None:
    """Write what is left; returns why a part of the standard output was lost, None if no reader missed anything."""
    restore()
    if _output is None or _errors is None:
        return None
    _output.flush()
    _errors.flush()
    failure = _output.descriptor.failure
    return None if failure is None or failure.errno == errno.EPIPE else failure
