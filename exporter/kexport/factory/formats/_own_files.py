"""What was written must be sound: a device refuses a file that would crash its runtime, and cannot mend it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kexport.confinement import raised
from kexport.errors import ArtifactError


class UnsoundFileError(Exception):
    """What was just written is not what a runtime can load: the fault is kexport's, or its converter's."""


def require_own_sound(path: Path, check: Callable[[Path], object]) -> None:
    """Raise `UnsoundFileError` where the check that a runtime makes at load refuses what was just written.

    Sizes are not judged: what a model may take is up to those who load it.
    """
    try:
        with raised(0, unlimited=True):
            check(path)
    except ArtifactError as error:
        facts = (f"{name} {value}" for name in ("got", "expected") if (value := error.facts[name]) is not None)
        raise UnsoundFileError(f"{error.subject}: {', '.join(facts)}") from None
