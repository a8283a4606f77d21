"""Temporary folders that go however their process ends: at the end of a block, or else by a later process.

A folder is locked as long as a process uses it, and the system releases the lock of one that was killed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kexport.cleanup import undone_by
from kexport.errors import UncheckedError

#: In place of a folder where none can be written: TensorFlow asks for its name when imported, and seldom writes there.
NOWHERE = os.devnull
_PREFIX = "kexport-"
_MEMORY = Path("/dev/shm")  # where Linux has a file system in memory
_ROOMY = 1 << 30  # bytes; containers give it less, and arrays may be large


@contextlib.contextmanager
def temporary_folder(*, in_memory: bool = False) -> Iterator[Path]:
    """A folder that is removed at the end of the block; those of dead processes are removed too.

    Args:
        in_memory: whether it may be in memory, where the system has room there.

    Raises:
        UncheckedError: no such folder can be written here.
    """
    parents = _parents()
    for parent in parents:
        _remove_dead(parent)
    if not parents:
        raise UncheckedError(
            "there is no folder for temporary files", expected="one that can be written", hint="set TMPDIR to one"
        )
    roomy = in_memory and _MEMORY in parents and shutil.disk_usage(_MEMORY).free >= _ROOMY
    parent = _MEMORY if roomy else next((each for each in parents if each != _MEMORY), _MEMORY)
    with _locked_in(parent) as folder:
        try:
            with undone_by(lambda: shutil.rmtree(folder, ignore_errors=True)):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def own_temporaries() -> Iterator[None]:
    """Within the block, what this process and those that it starts write as temporary goes with the block.

    TensorFlow leaves a file for every function that it rewrites, unless its process ends by itself.
    """
    before, environment = tempfile.tempdir, os.environ.get("TMPDIR")
    with contextlib.ExitStack() as stack:
        try:
            tempfile.tempdir = os.environ["TMPDIR"] = str(stack.enter_context(temporary_folder()))
        except (UncheckedError, OSError):
            tempfile.tempdir = NOWHERE
        try:
            yield
        finally:
            tempfile.tempdir = before
            if environment is None:
                os.environ.pop("TMPDIR", None)
            else:
                os.environ["TMPDIR"] = environment


def _parents() -> list[Path]:
    """The folders for temporary files that can be written, the one in memory first."""
    with contextlib.suppress(OSError):
        usual = Path(tempfile.gettempdir())
        return [each for each in (_MEMORY, usual) if each.is_dir() and os.access(each, os.W_OK)]
    return [_MEMORY] if os.access(_MEMORY, os.W_OK) else []


@contextlib.contextmanager
def _locked_in(parent: Path) -> Iterator[Path]:
    """A new folder, and its lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        try:
            lock = _lock(folder)
        except (BlockingIOError, FileNotFoundError):
            continue  # a process that cleans up was faster
        try:
            yield folder
        finally:
            if lock is not None:
                os.close(lock)
        return


def _lock(folder: Path) -> int | None:
    """The descriptor that holds the lock of a folder; None where nothing can be locked.

    Raises:
        BlockingIOError: another process uses it.
        FileNotFoundError: it is gone.
    """
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), folder.stat()):
            return descriptor
        raise FileNotFoundError(folder)
    except (BlockingIOError, FileNotFoundError):
        os.close(descriptor)
        raise
    except OSError:  # a file system without locks
        os.close(descriptor)
        return None


def _remove_dead(parent: Path) -> None:
    """Remove the folders of processes that have ended."""
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX):
                with contextlib.suppress(OSError):  # it is used, or another user's
                    lock = _lock(Path(entry.path))
                    if lock is not None:
                        shutil.rmtree(entry.path, ignore_errors=True)
                        os.close(lock)
