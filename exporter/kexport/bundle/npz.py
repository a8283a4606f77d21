"""Named arrays in an `.npz` without pickles, written so that large arrays are read without a copy.

An uncompressed array starts at a multiple of 64 bytes in the file, so that every runtime can read it in place.
`numpy.load` reads these files too.
"""

from __future__ import annotations

import functools
import io
import math
import mmap
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle.signature import Array

_WORTH_COMPRESSING = 1 << 20  # bytes; beyond lies recorded data, which compresses badly and would slow down every check
_ALIGNMENT = 64
_LOCAL_HEADER = 30  # bytes before name and extra field; APPNOTE.TXT of PKWARE, 4.3.7
_PADDING = 0xD935  # the tag of the extra field that Android's zipalign uses
_LONGEST_HEADER = 1 << 12
_EPOCH = (1980, 1, 1, 0, 0, 0)  # nothing in a bundle says when it was built


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write the arrays deterministically; names must not end in `.npy`.

    Raises:
        ValueError: an array holds Python objects.
    """
    small = sum(array.nbytes for array in arrays.values()) <= _WORTH_COMPRESSING
    with path.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
            if not small:
                before = file.tell() + _LOCAL_HEADER + len(entry.filename.encode()) + 4
                gap = -before % _ALIGNMENT
                entry.extra = struct.pack("<HH", _PADDING, gap) + bytes(gap)
            archive.writestr(entry, content.getbuffer())


@functools.lru_cache(maxsize=64)  # the goldens of one recording have few distinct headers
def _header(text: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, Fortran order, dtype and length in bytes of a `.npy` header given without its final newline."""
    head = io.BytesIO(text + b"\n")
    version = np.lib.format.read_magic(head)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(head)
    return shape, fortran, dtype, head.tell()


class NpzArrays(Mapping[str, Array]):
    """The arrays of a file, each read when it is looked up.

    Args:
        path: the path of the file.

    Raises:
        OSError, zipfile.BadZipFile: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            with zipfile.ZipFile(file) as archive:
                self._entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
            # The arrays keep the map alive.
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __getitem__(self, name: str) -> Array:
        entry = self._entries[name]
        if entry.compress_type != zipfile.ZIP_STORED:
            with zipfile.ZipFile(self._path) as archive, archive.open(entry) as member:
                array: Array = np.lib.format.read_array(member, allow_pickle=False)
                return array
        start = entry.header_offset + _LOCAL_HEADER
        name_length, extra_length = struct.unpack("<HH", self._bytes[start - 4 : start])
        start += name_length + extra_length
        size = min(entry.file_size, _LONGEST_HEADER)
        shape, fortran, dtype, length = _header(self._bytes[start : start + size].partition(b"\n")[0])
        if dtype.hasobject:
            raise ValueError(f"{name} holds Python objects")
        flat = np.frombuffer(self._bytes, dtype, math.prod(shape), start + length)
        return flat.reshape(shape, order="F" if fortran else "C")

    def release(self) -> None:
        """Free the memory of the arrays read so far; an array that is read again is loaded again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._bytes.madvise(mmap.MADV_DONTNEED)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
