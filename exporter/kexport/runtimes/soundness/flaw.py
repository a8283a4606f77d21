"""What makes a file unsound, and the error it becomes."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator
from pathlib import Path

from kexport.errors import ArtifactError


class FlawError(Exception):
    """A part of a file is not what its format demands.

    Args:
        place: the part, as people call it.
        got: what it is.
        expected: what it must be.
    """

    def __init__(self, place: str, got: object, expected: str) -> None:
        super().__init__(f"{place}: {got}, expected {expected}")
        self.place, self.got, self.expected = place, got, expected


@contextlib.contextmanager
def mapped(path: Path, format_name: str) -> Iterator[memoryview]:
    """The content of a file, of which only what is looked at is read; a flaw found in it becomes an `ArtifactError`."""
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
            memoryview(content) as view,
        ):
            yield view
    except FlawError as flaw:
        raise ArtifactError(
            f"{path.name} is not a sound {format_name} file: {flaw.place}",
            got=flaw.got,
            expected=flaw.expected,
            hint="it would crash the runtime; copy or build the bundle again",
        ) from None
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise ArtifactError(
            f"{path.name} cannot be read as a {format_name} file",
            got=getattr(error, "strerror", None) or error,
            hint="copy or build the bundle again",
        ) from None
