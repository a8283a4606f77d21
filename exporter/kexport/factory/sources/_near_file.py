"""A hint for a file that does not exist: those beside it that are named much like it."""

from __future__ import annotations

from pathlib import Path

from kexport.errors import near


def near_file(path: Path) -> str:
    """The files of the same kind in the folder whose names are near, or to look at the path."""
    try:
        names = [each.name for each in path.parent.iterdir() if each.suffix == path.suffix]
    except OSError:
        names = []
    return near(path.name, names) or "check the path"
