"""Temporary folders for the arrays that go to worker processes and come back."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kexport.cleanup import undone_by


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is removed at the end of the block; in memory, where there is a file system in memory.

    Folders that killed processes have left behind are removed too.
    """
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    for folder in parent.glob("kexport.*.*"):
        if not _may_run(folder.name.split(".")[1]):
            shutil.rmtree(folder, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"kexport.{os.getpid()}.", dir=parent))
    try:
        with undone_by(lambda: shutil.rmtree(folder, ignore_errors=True)):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _may_run(process_id: str) -> bool:
    """Whether the process may still run; when in doubt, it may."""
    if os.name != "posix":
        return True  # signal 0 only asks on POSIX; elsewhere it may end the process
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OverflowError, OSError):
        pass  # not a process ID, or a process of another user
    return True
