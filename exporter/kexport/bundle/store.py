"""Writing a bundle atomically: an interruption at any moment leaves either the old bundle or the new one.

A bundle is written into a hidden folder beside its target, on the same file system, and one system call exchanges the
two. A lock file beside the target keeps out a second build of the same bundle.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kexport.bundle.manifest import FILE_NAME
from kexport.cleanup import undone_by
from kexport.errors import UsageError

_AT_FDCWD = -100  # Linux, fcntl.h
_RENAME_EXCHANGE = 2  # Linux, linux/fs.h
_RENAME_SWAP = 2  # macOS, sys/stdio.h


def rejected(target: Path) -> Path:
    """The path for a bundle whose checks failed."""
    return target.with_name(target.name + ".rejected")


@contextlib.contextmanager
def staging(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, removed at the end unless it was moved; `target` is locked meanwhile.

    Raises:
        UsageError: `target` is not a bundle, cannot be written, or is being built by another process.
    """
    for place in (target, rejected(target)):
        if place.exists() and not _is_replaceable(place):
            raise UsageError(
                f"{place} is in the way: it is not a bundle",
                expected="a bundle, an empty folder, or nothing",
                hint="choose another --out",
            )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _lock(target):
            for leftover in target.parent.glob(f".{target.name}.*.building"):
                remove(leftover)  # of a killed build: no other build runs while we hold the lock
            folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".building", dir=target.parent))
            try:
                folder.chmod(0o777 & ~_umask())
                with undone_by(lambda: remove(folder)):
                    yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise unwritable(target, error) from None


def unwritable(target: Path, error: OSError) -> UsageError:
    """The error for a target that cannot be written."""
    reason = error.strerror or str(error)
    hint = "choose another --out, or free some space"
    return UsageError(f"{target} cannot be written", got=reason, expected="a writable folder", hint=hint)


def place(folder: Path, target: Path) -> None:
    """Move a finished bundle to its target, replacing what is there."""
    if not target.exists():
        folder.rename(target)
        return
    if not _exchange(folder, target):
        # This system has no atomic exchange: between these two renames there is no bundle at the target.
        old = folder.with_name(folder.name + ".old")
        with undone_by(lambda: target.exists() or old.rename(target)):
            target.rename(old)
            folder.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def remove(target: Path) -> None:
    """Delete a bundle, or a file or folder of one."""
    if target.is_file():
        target.unlink(missing_ok=True)
    else:
        shutil.rmtree(target, ignore_errors=True)


def _is_replaceable(path: Path) -> bool:
    return path.is_dir() and ((path / FILE_NAME).exists() or not any(path.iterdir()))


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


@contextlib.contextmanager
def _lock(target: Path) -> Iterator[None]:
    """Hold the lock of `target`; if it is taken, refuse rather than wait for a build that may hang."""
    path = target.with_name(f".{target.name}.lock")
    try:
        import fcntl
    except ImportError:  # on Windows, where nothing can be built
        yield
        return
    while True:
        with path.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(
                    f"{target} is being built by another process",
                    hint="wait for it to end, or choose another --out",
                ) from None
            if not _is_same_file(file.fileno(), path):
                continue  # the previous holder removed the file after we opened it
            try:
                with undone_by(lambda: path.unlink(missing_ok=True)):
                    yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; False if the system cannot."""
    a, b = os.fsencode(one), os.fsencode(other)
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        if sys.platform == "linux":
            return bool(libc.renameat2(_AT_FDCWD, a, _AT_FDCWD, b, _RENAME_EXCHANGE) == 0)
        if sys.platform == "darwin":
            return bool(libc.renamex_np(a, b, _RENAME_SWAP) == 0)
    except AttributeError:
        pass  # an old C library
    return False
