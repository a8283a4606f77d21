"""Files that a command writes besides a bundle: none of them may take the place of what it reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kexport.bundle.regular_files import resolved
from kexport.errors import UsageError

#: Parameters that name a bundle or a model, in any command.
_SUBJECTS = ("path", "paths", "a", "b", "out")


def require_outside(option: str, target: str, options: Mapping[str, object]) -> None:
    """Raise `UsageError` where a file to write is a file of a bundle or model of the command, or lies in its folder.

    Args:
        option: the option that names the file.
        target: its value.
        options: the parameters of the command.
    """
    for name in _SUBJECTS:
        given = options.get(name)
        for subject in given if isinstance(given, tuple) else (given,):
            if isinstance(subject, str) and subject and _is_within(target, subject):
                raise UsageError(
                    f"{option} {target} would change {subject}",
                    expected="a file outside of the bundle or model",
                    hint="what is in a bundle is checked and signed: write beside it",
                )


def _is_within(target: str, subject: str) -> bool:
    try:
        inner, outer = resolved(Path(target)), resolved(Path(subject))
    except OSError:
        return False  # no file can have such a name, as whoever opens it says
    return inner == outer or inner.startswith(os.path.join(outer, ""))
