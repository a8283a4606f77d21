"""Exceptions on their way from a worker process to its parent."""

from __future__ import annotations

import traceback
from typing import TypedDict

from kexport import errors
from kexport.errors import KexportError


class _ErrorType(TypedDict):
    """The name of an exception's class, empty for one that nobody raised on purpose."""

    type: str


class _ErrorJson(_ErrorType, total=False):
    """An exception on its way to the parent."""

    subject: str
    facts: dict[str, str | None]
    errno: int | None
    text: str
    traceback: str


def error_from_json(error: _ErrorJson) -> Exception:
    """The exception that a task raised, in this process."""
    if error["type"] == OSError.__name__:
        return OSError(error["errno"], error["text"])
    error_class = getattr(errors, error["type"], None)
    if isinstance(error_class, type) and issubclass(error_class, KexportError):
        return error_class(error["subject"], **error["facts"])
    return RuntimeError(f"a worker process failed; its traceback:\n{error['traceback']}")


def error_to_json(error: Exception) -> _ErrorJson:
    """The inverse of `error_from_json`."""
    if isinstance(error, KexportError):
        facts = {key: None if fact is None else str(fact) for key, fact in error.facts.items()}
        return {"type": type(error).__name__, "subject": error.subject, "facts": facts}
    if isinstance(error, OSError):
        return {"type": OSError.__name__, "errno": error.errno, "text": error.strerror or str(error)}
    return {"type": "", "traceback": "".join(traceback.format_exception(error))}
