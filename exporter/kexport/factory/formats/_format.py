"""What every format is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kexport import registry
from kexport.errors import unknown
from kexport.factory.trace.program import Program

FOLDER = "factory/formats"


@dataclass(frozen=True)
class Format:
    """One way to write a model; it has either a `writer`, or a `converter` that reads a handover.

    Attributes:
        name: as users type it, and the name of its file.
        path: of what it writes, in the bundle.
        modules: what must be importable for it, besides TensorFlow and Keras.
        summary: what it is, in one line.
        writer: writes the program to a path in this process, and returns details for the manifest.
        converter: `"module:function"`, run in a worker process because it may crash or take long. It takes the
            paths `handover` and `target` as text and the `options` of the build, and yields the details once.
    """

    name: str
    path: str
    modules: tuple[str, ...]
    summary: str
    writer: Callable[[Program, Path], dict[str, Any]] | None = None
    converter: str | None = None


def names() -> list[str]:
    """All formats."""
    return registry.names(FOLDER)


def get(name: str) -> Format:
    """The format of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in names():
        raise unknown("format", name, names())
    found: Format = registry.get(FOLDER, name, "FORMAT")
    return found
