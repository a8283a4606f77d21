"""Every error that kexport raises on purpose, and the exit code each one ends the command with.

A message states one fact a line: the subject, what was got, what was expected, and a hint.
"""

from __future__ import annotations

import difflib
import os
import re
import sysconfig
import traceback
from collections.abc import Iterable

FAILED = 1
USAGE = 2
UNCHECKED = 3
INTERRUPTED = 130


class KexportError(Exception):
    """Base of all errors raised on purpose.

    Args:
        subject: what is wrong with what, in one line.
        got: what was found.
        expected: what would have been right.
        hint: what to do about it.
    """

    exit_code = USAGE

    def __init__(self, subject: str, *, got: object = None, expected: object = None, hint: str | None = None) -> None:
        self.facts = {"got": got, "expected": expected, "hint": hint}
        self.subject = subject
        lines = [subject]
        for label, fact in self.facts.items():
            if fact is not None:
                lines.append(f"  {label + ':':<10}{fact}")
        super().__init__("\n".join(lines))


class UsageError(KexportError):
    """The request itself is wrong: an unknown name, an ill-typed setting, an unwritable target."""


class InputError(KexportError):
    """Data that does not fit the model's signature."""


class BundleError(KexportError):
    """A bundle, or one of its files, cannot be read."""


class ArtifactError(KexportError):
    """An artifact is missing, or is not the file that the manifest describes."""

    exit_code = FAILED


class ExportError(KexportError):
    """The model cannot be exported to the format."""

    exit_code = FAILED


class ModelError(KexportError):
    """The model cannot be loaded or described."""


class UncheckedError(KexportError):
    """Something that was asked for could not be checked here."""

    exit_code = UNCHECKED


class MissingRuntimeError(UncheckedError):
    """A runtime that was asked for is not installed."""


class MissingExtraError(KexportError):
    """A part of kexport needs packages that are not installed."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the known names nearest to `name`, or all of them when none is near."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "known: " + (", ".join(known) or "none")


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not among the known ones of its kind."""
    known = sorted(known)
    return UsageError(f"unknown {kind} {name!r}", expected="one of " + ", ".join(known), hint=nearest(name, known))


def require_known(name: str, known: Iterable[str], subject: str, got: object = None) -> None:
    """Raise `UsageError` unless a name is among those of its kind, in their order.

    Args:
        name: as it was given.
        known: the names that there are.
        subject: of the error.
        got: for the error, where the subject does not tell the name.
    """
    names = list(known)
    if name not in names:
        raise UsageError(subject, got=got, expected="one of " + ", ".join(names), hint=nearest(name, names))


def reason(error: BaseException) -> str:
    """The line of an exception's message that says what went wrong, without colours and preambles."""
    # A KeyError's text is the representation of its key.
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(text))
    text = text.rpartition("Exception encountered: ")[2]  # Keras nests causes, the first of them last
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith("Exception encountered when calling")]
    first = (telling or lines or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def located(error: BaseException) -> str:
    """The reason of an exception, and the file and line of the user's code that it comes from."""
    ours = os.path.dirname(os.path.abspath(__file__))
    library = sysconfig.get_paths()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        foreign = (ours, library["stdlib"], library["platstdlib"], library["purelib"], library["platlib"])
        if os.path.isfile(frame.filename) and not frame.filename.startswith(foreign):
            return f"{reason(error)} ({os.path.basename(frame.filename)}:{frame.lineno})"
    return reason(error)
