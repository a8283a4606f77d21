"""Writing a bundle atomically: an interruption at any moment leaves either the old bundle or the new one.

A bundle is written into a hidden folder beside its target, on the same file system, and one system call exchanges the
two. A lock file beside the target keeps out a second build of the same bundle.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from kexport import cleanup
from kexport.bundle.manifest import FILE_NAME
from kexport.current_folder import current_folder
from kexport.errors import UsageError

_UNFINISHED = ".building"
_REPLACED = ".old"
_LONGEST_LABEL = 180  # bytes; a name of a file has 255, and some are added
_PATIENCE = 1.0  # seconds; the processes of a build that was killed hold its lock for a moment
_AT_FDCWD = -100  # Linux, fcntl.h
_RENAME_EXCHANGE = 2  # Linux, linux/fs.h
_RENAME_SWAP = 2  # macOS, sys/stdio.h


def rejected(target: Path) -> Path:
    """The path for a bundle whose checks failed."""
    return target.with_name(target.name + ".rejected")


def resolved(out: str | Path) -> Path:
    """The folder that `out` stands for: what a link points to, so that the link stays.

    Raises:
        UsageError: no bundle can be exchanged with it: the current folder, one that contains it, a mounted one.
    """
    subject, expected = f"{str(out)!r} cannot become a bundle", "the name of a new folder, or of a bundle"
    try:
        os.fsencode(out).decode()  # as the libraries that write artifacts need it
        whole, target = Path(os.path.realpath(out)), Path(out)
        linked = target.is_symlink() or target.name == ".."
        here = Path(os.path.realpath("/" if target.is_absolute() and current_folder() is None else "."))
        mounted = os.path.ismount(whole)
    except UnicodeError:
        raise UsageError(subject, got="a name that is not valid UTF-8", expected=expected) from None
    except (OSError, ValueError) as error:
        hint = "the current folder has been removed: change to another one" if current_folder() is None else None
        raise UsageError(subject, got=error, expected=expected, hint=hint) from None
    if not str(out) or whole in (here, *here.parents):
        got = "it is the current folder, or contains it" if str(out) else "an empty name"
        raise UsageError(subject, got=got, expected=expected)
    if mounted:
        got = "it is a file system of its own, which cannot be exchanged"
        raise UsageError(subject, got=got, expected=expected, hint=f"--out {target / 'NAME'}")
    return whole if linked else target


@contextlib.contextmanager
def staging(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, removed at the end unless it was moved; `target` is locked meanwhile.

    Raises:
        UsageError: `target` is not a bundle, cannot be written, or is being built by another process.
    """
    try:
        _require_free(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        with _lock(target):
            _clean_up_after_dead_builds(target)
            folder = Path(tempfile.mkdtemp(prefix=f".{_label(target)}.", suffix=_UNFINISHED, dir=target.parent))
            cleanup.state(f"{target} is as it was")
            try:
                folder.chmod(0o777 & ~_umask())
                with cleanup.undone_by(lambda: remove(folder)):
                    yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise unwritable(target, error) from None


def _require_free(target: Path) -> None:
    """Raise `UsageError` if something that is not a bundle lies at the target, or where a rejected bundle goes."""
    for place in (target, rejected(target)):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            place.lstat()  # raises where the name is too long
        if os.path.lexists(place) and not _is_replaceable(place):
            raise UsageError(
                f"{place} is in the way: it is not a bundle",
                expected="a bundle, an empty folder, or nothing",
                hint="choose another --out",
            )


def _clean_up_after_dead_builds(target: Path) -> None:
    """Remove what killed builds of this bundle have left: no other build of it runs while we hold the lock."""
    name = re.compile(rf"\.{re.escape(_label(target))}\.[a-z0-9_]+{re.escape(_UNFINISHED)}(\{_REPLACED})?")
    left = [path for path in target.parent.iterdir() if name.fullmatch(path.name)]
    for path in left:
        if path.suffix == _REPLACED and not target.exists():
            path.rename(target)  # killed between the two renames of `place`
        else:
            remove(path)


def _label(target: Path) -> str:
    """What hidden files beside the target are named by: its name, or the digest of a long one."""
    name = os.fsencode(target.name)
    return target.name if len(name) <= _LONGEST_LABEL else hashlib.sha256(name).hexdigest()


def unwritable(target: Path, error: OSError) -> UsageError:
    """The error for a target that cannot be written."""
    reason = error.strerror or str(error)
    hint = "choose another --out, or free some space"
    if error.errno == errno.EMFILE:
        hint = "raise the limit of open files: ulimit -n"
    return UsageError(f"{target} cannot be written", got=reason, expected="a writable folder", hint=hint)


def place(folder: Path, target: Path) -> None:
    """Move a finished bundle to its target, replacing what is there."""
    with cleanup.undivided():
        if not target.exists():
            folder.rename(target)
        elif not _exchange(folder, target):
            # This system has no atomic exchange: between these two renames there is no bundle at the target.
            old = folder.with_name(folder.name + _REPLACED)
            target.rename(old)
            try:
                folder.rename(target)
            except OSError:
                old.rename(target)
                raise
            shutil.rmtree(old, ignore_errors=True)
        cleanup.state(f"the new bundle is at {target}; its report was not shown")


def remove(target: Path) -> None:
    """Delete a bundle, or a file, link or folder of one."""
    if target.is_file() or target.is_symlink():
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
    """Hold the lock of `target`; if it stays taken, refuse rather than wait for a build that may hang."""
    path = target.with_name(f".{_label(target)}.lock")
    began = time.monotonic()
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
                if time.monotonic() - began < _PATIENCE:
                    time.sleep(_PATIENCE / 20)
                    continue
                raise UsageError(
                    f"{target} is being built by another process",
                    hint="wait for it to end, or choose another --out",
                ) from None
            if not _is_same_file(file.fileno(), path):
                continue  # the previous holder removed the file after we opened it
            try:
                with cleanup.undone_by(lambda: path.unlink(missing_ok=True)):
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
