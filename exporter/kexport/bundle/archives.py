"""The one reader of zip archives, which `.npz` and `.keras` files are: with limits, and without surprises.

What is wrong with an archive raises `ValueError`, in words, so that callers name the file in an error of their own.
"""

from __future__ import annotations

import mmap
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from kexport.bundle.regular_files import open_regular

#: By how many bytes an archive may be larger, unpacked, than it is: compressed data that was made to fill the memory
#: grows a thousandfold.
EXPANSION = 1 << 28
_LARGEST_INDEX = 1 << 26  # bytes; what zipfile makes of it is ten times as large
_END, _END_LENGTH, _LONGEST_COMMENT = b"PK\x05\x06", 22, 1 << 16  # APPNOTE.TXT of PKWARE, 4.3.16
_END64_LOCATOR, _END64 = b"PK\x06\x07", b"PK\x06\x06"  # 4.3.15 and 4.3.14
_MEMBER, LOCAL_HEADER = b"PK\x03\x04", 30  # 4.3.7: bytes before name and extra field
_UTF8 = 1 << 11
_ENCODINGS = {0: "cp437", _UTF8: "utf-8"}  # of names
_ENCRYPTED = 1 | 1 << 6
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FAULTS = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, IndexError, NotImplementedError, OverflowError, RuntimeError
)  # fmt: skip


class Archive(Mapping[str, memoryview]):
    """The members of an archive by name. What is not compressed is not copied from the file, which stays mapped.

    Args:
        path: the path of the file.
        within: a folder that no symbolic link may lead out of.
        expansion: by how many bytes all members together may exceed the file.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is damaged, encrypted or too large, or has members of strange names. A lookup raises this too,
            for a member that is damaged.
    """

    def __init__(self, path: Path, within: Path | None = None, expansion: int = EXPANSION) -> None:
        with open_regular(path, within) as file:
            self._entries = _index(file, expansion)
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __getitem__(self, name: str) -> memoryview:
        entry = self._entries[name]
        at = entry.header_offset
        header = self._bytes[at : at + LOCAL_HEADER]
        if header[:4] != _MEMBER or len(header) < LOCAL_HEADER:
            raise ValueError(f"its member {name!r} is not where the index says")
        length, extra = struct.unpack("<HH", header[-4:])
        start = at + LOCAL_HEADER + length + extra
        if self._bytes[at + LOCAL_HEADER : at + LOCAL_HEADER + length] != entry.orig_filename.encode(
            _ENCODINGS[entry.flag_bits & _UTF8]
        ):
            raise ValueError(f"its member {name!r} has another name where it begins")
        content = memoryview(self._bytes)[start : start + entry.compress_size]
        if entry.compress_type != zipfile.ZIP_STORED:
            try:
                content = memoryview(bytearray(zlib.decompressobj(-15).decompress(content, entry.file_size + 1)))
            except zlib.error as error:
                raise ValueError(f"its member {name!r} is damaged: {error}") from None
        if len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
            raise ValueError(f"its member {name!r} is damaged")
        return content

    def release(self) -> None:
        """Free the memory of what was read; what is read again is loaded again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._bytes.madvise(mmap.MADV_DONTNEED)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _index(file: BinaryIO, expansion: int) -> dict[str, zipfile.ZipInfo]:
    """The entries of an archive, checked: names, methods, sizes."""
    size = os.fstat(file.fileno()).st_size
    try:
        count = _entries_of_small_index(file, size)
        with zipfile.ZipFile(file) as archive:
            listed = archive.infolist()
    except _FAULTS as error:
        raise ValueError(str(error) or type(error).__name__) from None
    if len(listed) != count:
        raise ValueError(f"its index has {len(listed)} entries, where {count} are expected")
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in listed:
        name = entry.orig_filename
        if _is_strange(name) or name in entries:
            raise ValueError(f"its member {name!r} has a strange name, or one that occurs twice")
        if entry.flag_bits & _ENCRYPTED:
            raise ValueError(f"its member {name!r} is encrypted")
        if entry.compress_type not in _METHODS:
            raise ValueError(f"its member {name!r} is compressed by an unknown method")
        entries[name] = entry
    unpacked = sum(entry.file_size for entry in listed)
    if unpacked - size > expansion:
        raise ValueError(
            f"its {size} bytes would become {unpacked}, where at most {size + expansion} are expected; "
            "--max-bytes allows more"
        )
    return entries


def _is_strange(name: str) -> bool:
    """Whether a name would lead out of a folder, or be another one on another system."""
    return not name or name.startswith("/") or ".." in name.split("/") or bool(set("\\\0") & set(name))


def _entries_of_small_index(file: BinaryIO, size: int) -> int:
    """The number of entries that an archive states, unless its index would fill the memory before it can be checked."""
    tail = min(size, _END_LENGTH + _LONGEST_COMMENT)
    file.seek(size - tail)
    end = file.read(tail)
    at = end.rfind(_END)
    if at < 0 or len(end) < at + _END_LENGTH:
        raise ValueError("it is no archive, or its end is missing")
    count, length = struct.unpack_from("<HL", end, at + 10)
    if at >= 20 and end[at - 20 : at - 16] == _END64_LOCATOR:
        file.seek(min(size, struct.unpack_from("<Q", end, at - 12)[0]))
        record = file.read(56)
        if len(record) == 56 and record[:4] == _END64:
            count, length = struct.unpack_from("<QQ", record, 32)
    if length > _LARGEST_INDEX:
        raise ValueError(f"its index has {length} bytes, where at most {_LARGEST_INDEX} are expected")
    file.seek(0)
    return int(count)
