"""Arrays as a JSON description and raw bytes, the way they go through pipes: no pickle, and no copy on the way out."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from kexport.bundle.json_files import list_of, mapping, member, text, whole
from kexport.bundle.json_text import Json
from kexport.bundle.signature import Array

_DTYPE = re.compile("[<>|=][biufcSU][0-9]{1,9}")  # of arrays whose values are their bytes


def described(arrays: Sequence[Array]) -> list[dict[str, object]]:
    """Dtype and shape of each array, as JSON."""
    return [{"dtype": array.dtype.str, "shape": list(array.shape)} for array in arrays]


def chunks(arrays: Sequence[Array]) -> list[memoryview]:
    """The bytes of each array."""
    return [np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for array in arrays if array.nbytes]


def unpacked(descriptions: Json, content: bytes | bytearray) -> list[Array]:
    """The arrays that `described` and `chunks` say; they share the memory of `content`.

    Raises:
        TypeError, ValueError: the two do not fit each other, or are not of that form.
    """
    arrays: list[Array] = []
    start = 0
    for each in list_of(mapping)(descriptions):
        name, shape = member(each, "dtype", text), member(each, "shape", list_of(whole))
        if not _DTYPE.fullmatch(name):
            raise ValueError(f"no array can have dtype {name}")
        dtype = np.dtype(name)
        size = math.prod(shape) * dtype.itemsize
        if size > len(content) - start:
            raise ValueError(f"{len(content)} bytes, and more are expected")
        # An array without elements, or of empty strings, has no bytes, which NumPy does not read.
        flat = np.frombuffer(content, dtype, math.prod(shape), start) if size else np.zeros(shape, dtype)
        arrays.append(flat.reshape(shape))
        start += size
    if start != len(content):
        raise ValueError(f"{len(content)} bytes instead of {start}")
    return arrays
