"""Opening files that may come from anywhere: regular files only, and none that a link leads to outside of a bundle.

A pipe would block, and a device would never end. Everything here raises `OSError`, whose `strerror` says in words what
is wrong, so that callers name the file in an error of their own.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

#: No file is larger than this, unless a user allows it.
MOST_BYTES = 1 << 32
NO_LIMIT = 1 << 62
_FREE = 1 << 26  # bytes, which are read at once whatever a manifest declares
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# The path is checked before; these hold if it changes in between. Windows lacks all of them but O_BINARY.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def open_regular(path: Path, within: Path | None = None) -> BinaryIO:
    """Open a regular file for reading, at once whatever it is.

    Args:
        path: the path of the file.
        within: a folder, usually that of a bundle, that no symbolic link on the way may lead out of.

    Raises:
        OSError: there is no such file, it cannot be read, it is not a regular file, or it lies outside of `within`.
    """
    real = resolved(path, within)
    _require_regular(os.stat(real).st_mode)  # before it is opened: to open a device can have effects
    descriptor = os.open(real, _FLAGS)
    try:
        _require_regular(os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, within: Path | None = None, most: int = MOST_BYTES) -> bytes:
    """The content of a regular file.

    Args:
        path: the path of the file.
        within: as for `open_regular`.
        most: the largest size in bytes.

    Raises:
        OSError: as `open_regular` does, or the file is larger.
    """
    with open_regular(path, within) as file:
        size = os.fstat(file.fileno()).st_size
        require_size(size, most)
        content = file.read(size + 1)
    if len(content) != size:
        raise OSError(errno.EIO, f"has {size} bytes, of which {len(content)} could be read")
    return content


def most_of(declared: int | None = None, max_bytes: int = 0) -> int:
    """The largest size of a file in bytes.

    Args:
        declared: the size that a manifest states, if it states one.
        max_bytes: what the user raised all limits to.
    """
    usual = MOST_BYTES if declared is None else min(MOST_BYTES, max(_FREE, declared))
    return max(usual, max_bytes)


def require_size(size: int, most: int) -> None:
    """Raise `OSError` for a size above the limit."""
    if size > most:
        words = f"is too large: {size} bytes, where at most {most} are expected; --max-bytes allows more"
        raise OSError(errno.EFBIG, words)


def resolved(path: Path, within: Path | None = None) -> str:
    """The path without symbolic links.

    Raises:
        OSError: no file can have this name, or the path lies outside of `within`.
    """
    try:
        real = os.path.realpath(os.fsencode(path))
        home = None if within is None else os.path.realpath(os.fsencode(within))
    except ValueError:  # a null character, or a lone surrogate
        raise OSError(errno.EINVAL, "no file can have this name") from None
    if home is not None and real != home and not real.startswith(os.path.join(home, b"")):
        raise OSError(errno.ELOOP, "a symbolic link leads out of the bundle")
    return os.fsdecode(real)


def exists(path: Path) -> bool:
    """Whether there is something at a path.

    Raises:
        OSError: the folder that would hold it cannot be read, or no file can have this name.
    """
    try:
        os.stat(resolved(path))
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def names_in(folder: Path, within: Path | None = None) -> list[str]:
    """The names in a folder, sorted; none where there is no such folder.

    Raises:
        OSError: it cannot be read, or lies outside of `within`.
    """
    try:
        return sorted(os.listdir(resolved(folder, within)))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _require_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, f"is {_KINDS.get(stat.S_IFMT(mode), 'not a file')}, not a regular file")
