"""Named arrays in an `.npz` without pickles, written so that large arrays are read without a copy.

An uncompressed array starts at a multiple of 64 bytes in the file, so that every runtime can read it in place.
`numpy.load` reads these files too. Reading checks what a header claims before it takes memory: `ValueError` in words.
"""

from __future__ import annotations

import ast
import functools
import io
import math
import re
import struct
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle.archives import LOCAL_HEADER, Archive
from kexport.bundle.signature import Array

_WORTH_COMPRESSING = 1 << 20  # bytes; beyond lies recorded data, which compresses badly and would slow down every check
_ALIGNMENT = 64
_PADDING = 0xD935  # the tag of the extra field that Android's zipalign uses
_LONGEST_HEADER = 1 << 12
_MOST_AXES = 32
_KINDS = "biufcSU"  # of dtypes: numbers, truth values and texts
_SUFFIX = ".npy"
_ENTRIES = "descr", "fortran_order", "shape"
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
            entry = zipfile.ZipInfo(f"{name}{_SUFFIX}", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
            if not small:
                before = file.tell() + LOCAL_HEADER + len(entry.filename.encode()) + 4
                gap = -before % _ALIGNMENT
                entry.extra = struct.pack("<HH", _PADDING, gap) + bytes(gap)
            archive.writestr(entry, content.getbuffer())


class NpzArrays(Mapping[str, Array]):
    """The arrays of a file, each read when it is looked up.

    Args:
        archive: the file, which the arrays keep mapped.

    Raises:
        ValueError: it is no archive of arrays. A lookup raises this too, for an array that is damaged.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        for member in self._archive:
            if not member.endswith(_SUFFIX):
                raise ValueError(f"its member {member!r} is no array")

    def __getitem__(self, name: str) -> Array:
        return array_in(self._archive[name + _SUFFIX], name)

    def release(self) -> None:
        """Free the memory of the arrays read so far; an array that is read again is loaded again."""
        self._archive.release()

    def __iter__(self) -> Iterator[str]:
        return (member.removesuffix(_SUFFIX) for member in self._archive)

    def __len__(self) -> int:
        return len(self._archive)


def array_in(content: memoryview, name: str) -> Array:
    """The array in the content of a `.npy` file, which it shares.

    Args:
        content: the whole file.
        name: of the array, for errors.

    Raises:
        ValueError: it is damaged, or of something else than numbers and texts.
    """
    start, text = _header_in(content, name)
    shape, fortran, dtype = _header(text)
    if dtype.hasobject:
        raise ValueError(f"{name!r} holds Python objects, which are not unpickled (allow_pickle=False)")
    if dtype.kind not in _KINDS or not dtype.itemsize:
        raise ValueError(f"{name!r} is of {dtype}, where numbers or texts are expected")
    size = math.prod(shape) * dtype.itemsize
    if len(shape) > _MOST_AXES or min(shape, default=0) < 0 or size != len(content) - start:
        raise ValueError(f"{name!r} is damaged: {len(content) - start} bytes cannot be {dtype} of shape {shape}")
    if not size:
        return np.zeros(shape, dtype)
    values = np.frombuffer(content, dtype, offset=start)
    if dtype.kind == "U" and not _is_text(values):
        raise ValueError(f"{name!r} is damaged: it holds numbers that stand for no character")
    return values.reshape(shape, order="F" if fortran else "C")


def _is_text(values: Array) -> bool:
    """Whether every code is one of Unicode's: NumPy finds out otherwise when it makes a text of them, and fails."""
    return bool(np.all(values.view(np.dtype(np.uint32).newbyteorder(values.dtype.byteorder)) <= sys.maxunicode))


def _header_in(content: memoryview, name: str) -> tuple[int, bytes]:
    """Where the data of a `.npy` file begin, and its header."""
    start = bytes(content[:12])
    width = {b"\x01\x00": 2, b"\x02\x00": 4}.get(start[6:8])
    if start[:6] != np.lib.format.MAGIC_PREFIX or width is None or len(start) < 12:
        raise ValueError(f"{name!r} is no array in the format of NumPy")
    length = int.from_bytes(start[8 : 8 + width], "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"the header of {name!r} has {length} bytes, where at most {_LONGEST_HEADER} are expected")
    end = 8 + width + length
    return end, bytes(content[8 + width : end])


@functools.lru_cache(maxsize=64)  # the goldens of one recording have few distinct headers
def _header(text: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and dtype in a `.npy` header."""
    # Not by NumPy, which repairs headers of Python 2, with warnings: all that they differ in is the L of long integers.
    plain = re.sub(r"(?<=\d)L(?=[,)])", "", text.decode("latin-1"))
    try:
        entries = ast.literal_eval(plain.strip())
        shape, fortran = entries["shape"], entries["fortran_order"]
        if len(entries) != len(_ENTRIES) or not isinstance(fortran, bool) or not isinstance(entries["descr"], str):
            raise ValueError(f"{', '.join(_ENTRIES)} are not what they should be")
        if not isinstance(shape, tuple) or any(type(length) is not int for length in shape):
            raise ValueError(f"{shape} is no shape")
        return shape, fortran, np.dtype(entries["descr"])
    except (KeyError, TypeError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"the header of an array is damaged: {error}") from None
