"""Exceptions that no model should cause, as errors that say what to report."""

from __future__ import annotations

import re
import traceback

from kexport.errors import ExportError, located, reason

_FRAME = re.compile(r'^  File "(.+)", line (\d+)', re.MULTILINE)


def fault(subject: str, error: BaseException | str, instead: str, where: str = "") -> ExportError:
    """The error for an unforeseen exception, or for the traceback of one in another process.

    Args:
        subject: what failed.
        error: the exception, or its traceback as Python prints it.
        instead: what the user can do meanwhile.
        where: the operation that was at work, and its layer, in words.
    """
    at = f", at {where}" if where else ""
    if isinstance(error, BaseException):
        if located(error) != reason(error):  # it is raised in the code of the model
            return ExportError(subject, got=located(error) + at, hint=instead)
        error = "".join(traceback.format_exception(error))
    return ExportError(
        subject,
        got=_summary(error) + at,
        hint=f"this is a bug in kexport: please report these lines together with the model; meanwhile, {instead}",
    )


def _summary(trace: str) -> str:
    """Type and text of the exception, where it was raised, and the last place in kexport that it passed."""
    frames = [(path, line) for path, line in _FRAME.findall(trace)]
    if not frames:
        return trace.strip()
    ours = [frame for frame in frames if "/kexport/" in frame[0].replace("\\", "/")]
    places = dict.fromkeys(_place(*frame) for frame in (frames[-1], *ours[-1:]))
    after = trace[[match.end() for match in _FRAME.finditer(trace)][-1] :].splitlines()
    text = [line.strip() for line in after[1:] if line.strip() and not line.startswith(" ")]
    return f"{' '.join(text[:3])} ({', from '.join(places)})"


def _place(path: str, line: str) -> str:
    """The file, relative to the folder of packages, and the line."""
    path = path.replace("\\", "/")
    for start in ("site-packages/", "dist-packages/", "/exporter/"):
        path = path.rpartition(start)[2]
    return f"{path}:{line}"
