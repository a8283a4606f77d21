"""SHA-256 digests of artifacts: of the bytes of a file, or of a folder's files and their relative names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from kexport.errors import ArtifactError


def digest(path: Path) -> str:
    """The SHA-256 of a file; for a folder, that of its lines `name, size, digest`, sorted by name.

    Raises:
        ArtifactError: there is nothing at `path`, it cannot be read, or the folder holds a symbolic link.
    """
    try:
        if path.is_dir():
            return _digest_of_folder(path)
        with path.open("rb") as file:
            return _digest_of_stream(file)
    except OSError as error:
        raise ArtifactError(f"{path.name} cannot be read", got=error.strerror or error) from None


def size(path: Path) -> int:
    """The size of a file, or of all files in a folder, in bytes."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def _digest_of_folder(path: Path) -> str:
    lines = []
    for file in sorted(path.rglob("*"), key=lambda file: file.relative_to(path).as_posix()):
        if file.is_symlink():
            raise ArtifactError(f"{path.name} holds a symbolic link", got=file.relative_to(path).as_posix())
        if file.is_file():
            with file.open("rb") as stream:
                lines.append(
                    f"{file.relative_to(path).as_posix()}\t{file.stat().st_size}\t{_digest_of_stream(stream)}\n"
                )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _digest_of_stream(stream: BinaryIO) -> str:
    hasher = hashlib.sha256()
    while block := stream.read(1 << 20):
        hasher.update(block)
    return hasher.hexdigest()
