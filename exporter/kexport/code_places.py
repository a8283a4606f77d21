"""Places in the user's code: the file as the user knows it, the line and its text."""

from __future__ import annotations

import linecache
import os
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import FrameType, TracebackType

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_INSTALLED = tuple(sysconfig.get_paths()[name] + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib"))
_PACKAGES = tuple(sysconfig.get_paths()[name] + os.sep for name in ("purelib", "platlib"))
_GENERATED = "__autograph_generated_file"
_AUTOGRAPH = os.sep + "autograph" + os.sep


@dataclass(frozen=True)
class CodePlace:
    """One line of code.

    Attributes:
        path: of the file, as Python knows it.
        line: its number, from 1.
    """

    path: str
    line: int

    @property
    def text(self) -> str:
        """The line itself, or the statement that begins there; empty where it cannot be read."""
        text = linecache.getline(self.path, self.line).strip()
        following = self.line + 1
        while text.count("(") > text.count(")") and following < self.line + 4:
            text += " " + linecache.getline(self.path, following).strip()
            following += 1
        return re.sub(r"\( ", "(", text)

    def __str__(self) -> str:
        return f"{shown(self.path)}:{self.line}"

    @property
    def quoted(self) -> str:
        """The place with its text."""
        return f"{self}: {self.text}" if self.text else str(self)


def shown(path: str) -> str:
    """A file as the user knows it: relative to the current folder if it lies below, else its name alone."""
    try:
        below = os.path.relpath(path)
    except (OSError, ValueError):  # the current folder has been removed, or is on another drive
        return os.path.basename(path)
    return os.path.basename(path) if below.startswith(os.pardir) or os.path.isabs(below) else below


@lru_cache(maxsize=4096)
def is_user_code(path: str) -> bool:
    """Whether a file belongs neither to Python, nor to an installed package, nor to kexport."""
    written = os.path.isfile(path) or (path in linecache.cache and path.startswith("<ipython"))
    return written and not path.startswith((_PACKAGE, *_INSTALLED)) and _GENERATED not in path


@lru_cache(maxsize=4096)
def is_library(path: str) -> bool:
    """Whether a file belongs to kexport or to an installed package, rather than to Python itself."""
    return path.startswith((_PACKAGE, *_PACKAGES))


def is_generated(path: str) -> bool:
    """Whether a file holds user code that AutoGraph rewrote, or is the part of AutoGraph that calls it."""
    return _GENERATED in path or _AUTOGRAPH in path


def user_frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, CodePlace]]:
    """The frames of user code that an exception passed, the innermost first."""
    frames = []
    while trace is not None:
        if is_user_code(trace.tb_frame.f_code.co_filename):
            frames.append((trace.tb_frame, CodePlace(trace.tb_frame.f_code.co_filename, trace.tb_lineno)))
        trace = trace.tb_next
    yield from reversed(frames)


def handled(error: BaseException) -> Iterator[BaseException]:
    """An exception, and those whose handling raised it, the innermost last, which user code may raise.

    Keras wraps what a layer raises in exceptions of its own.
    """
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        if _is_of_user_code(current.__traceback__):
            return
        current = current.__cause__ or current.__context__


def raised_at(error: BaseException) -> CodePlace | None:
    """The innermost line of user code that raised an exception, also where AutoGraph rewrote it."""
    for each in reversed([*handled(error)]):
        for frame in getattr(getattr(each, "ag_error_metadata", None), "translated_stack", ()):
            if is_user_code(frame.filename):
                return CodePlace(frame.filename, frame.lineno)
        for _, place in user_frames(each.__traceback__):
            return place
    return None


def _is_of_user_code(trace: TracebackType | None) -> bool:
    """Whether user code raised an exception, rather than what it called."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and is_user_code(trace.tb_frame.f_code.co_filename)
