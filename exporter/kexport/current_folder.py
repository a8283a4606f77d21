"""The current folder, which may have been removed."""

from __future__ import annotations

import os


def current_folder() -> str | None:
    """The path of the current folder; None where it has been removed, which no absolute path minds."""
    try:
        return os.getcwd()
    except OSError:
        return None
