"""SHA-256 digests of artifacts: of the bytes of a file, or of a folder's files and their relative names."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from kexport.bundle.regular_files import NO_LIMIT, open_regular, require_size, resolved
from kexport.errors import ArtifactError


def digest(path: Path, within: Path | None = None, most: int = NO_LIMIT) -> str:
    """The SHA-256 of a file; for a folder, that of its lines `name, size, digest`, sorted by name.

    Args:
        path: the file or folder.
        within: a folder that no symbolic link on the way may lead out of.
        most: the largest size in bytes.

    Raises:
        ArtifactError: there is nothing at `path`, it cannot be read or is too large, or the folder holds something
            that is neither a file nor a folder.
    """
    try:
        if not os.path.isdir(resolved(path, within)):
            return _digest_of_file(path, within, most)[1]
        lines = []
        for file in sorted(path.rglob("*"), key=lambda file: file.relative_to(path).as_posix()):
            name = file.relative_to(path).as_posix()
            if file.is_symlink():
                raise ArtifactError(f"{path.name} holds a symbolic link", got=name)
            if file.is_dir():
                continue
            size, sha256 = _digest_of_file(file, within, most)
            most -= size
            lines.append(f"{name}\t{size}\t{sha256}\n")
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    except OSError as error:
        raise ArtifactError(f"{path.name} cannot be read", got=error.strerror or error) from None


def digest_of_all(paths: Sequence[Path], most: int = NO_LIMIT) -> str:
    """The SHA-256 of the first file if it is alone, else that of the lines `name, size, digest` of all of them."""
    if len(paths) == 1:
        return digest(paths[0], most=most)
    lines = [f"{path.name}\t{size(path)}\t{digest(path, most=most)}\n" for path in paths]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def size(path: Path) -> int:
    """The size of a file, or of all files in a folder, in bytes."""
    if path.is_dir():
        modes = [file.lstat() for file in path.rglob("*")]
        return sum(each.st_size for each in modes if stat.S_ISREG(each.st_mode))
    return path.stat().st_size


def _digest_of_file(path: Path, within: Path | None, most: int) -> tuple[int, str]:
    """Size and digest of a file."""
    with open_regular(path, within) as file:
        require_size(os.fstat(file.fileno()).st_size, most)
        return _digest_of_stream(file, most)


def _digest_of_stream(stream: BinaryIO, most: int) -> tuple[int, str]:
    hasher, count = hashlib.sha256(), 0
    while block := stream.read(1 << 20):
        count += len(block)
        require_size(count, most)
        hasher.update(block)
    return count, hasher.hexdigest()
