"""What is known of a tensor before any call: how large it is, and its numbers where they follow from the file."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kexport.runtimes.soundness.protobuf import Bytes, fields, integers, text

#: A size; below zero where it varies, and is that large at least.
Dims = tuple[int, ...]
_MOST_VALUES = 1 << 16
_MOST_SIZES = 64
#: By the number of the type: its dtype, in which texts, and numbers that NumPy lacks, are None.
DTYPES: dict[int, Any] = {
    1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64, 9: np.bool_,
    10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64, 14: np.complex64, 15: np.complex128,
}  # fmt: skip
TEXT, _FLOAT16, _BFLOAT16 = 8, 10, 16
_WIDTHS = {number: np.dtype(dtype).itemsize for number, dtype in DTYPES.items()} | {TEXT: 32, _BFLOAT16: 2}
INTEGERS = frozenset({2, 3, 4, 5, 6, 7, 12, 13})
INT64, FLOAT = 7, 1
_WORDS = 5
#: Of fields of a tensor with numbers: the dtype in which they are stored, None for varints.
_STORED = {4: "<f4", 5: None, 7: None, 9: "raw", 10: "<f8", 11: None}


class Known:
    """What is known of a tensor.

    Args:
        dims: its sizes; None where not even their number is known.
        kind: the number of its type, 0 where it is not known.
        value: its numbers, where they follow from the file and are few, or what gives them when they are asked for.
        fixed: whether it depends on nothing but constants, also where its numbers are not known.
    """

    __slots__ = ("_value", "dims", "fixed", "type")

    def __init__(self, dims: Dims | None = None, kind: int = 0, value: Any = None, *, fixed: bool = False) -> None:
        self.dims, self.type, self._value, self.fixed = dims, kind, value, fixed

    @property
    def value(self) -> Any:
        """Its numbers; None where they are not known."""
        if callable(self._value):
            self._value = self._value()
        return self._value

    def as_fixed(self) -> Known:
        """The same, of which nothing depends on a call."""
        return Known(self.dims, self.type, self._value, fixed=True)

    def kept(self) -> Known:
        """The same, with a copy of its numbers where they are so few that they may be sizes."""
        few = self.dims is not None and math.prod(self.dims) <= _MOST_SIZES
        return Known(
            self.dims, self.type, None if not few or self.value is None else self.value.copy(), fixed=self.fixed
        )

    @property
    def least(self) -> int:
        """The bytes that it has at least."""
        return abs(math.prod(self.dims)) * _WIDTHS.get(self.type, 1) if self.dims is not None else 0


UNKNOWN = Known()


def numbers(dims: Dims, kind: int, content: Bytes) -> Any:
    """The numbers of a tensor; None where they are many, or not as many as it needs.

    Args:
        dims: its sizes.
        kind: the number of its type.
        content: the whole tensor.
    """
    dtype, found = DTYPES.get(kind), []
    if dtype is None or math.prod(dims) > _MOST_VALUES:
        return None
    for number, value in fields(content, "a tensor"):
        if number not in _STORED:
            continue
        if number == _WORDS and kind == _FLOAT16:  # their bits, as whole numbers
            return None
        layout = _STORED[number]
        if layout is None:
            found.append(np.array(integers(value, "the numbers of a tensor"), np.int64).astype(dtype))
        elif not isinstance(value, int):
            width = np.dtype(dtype if layout == "raw" else layout).itemsize
            whole = value[: len(value) // width * width]
            found.append(np.frombuffer(whole, dtype if layout == "raw" else layout).astype(dtype, copy=False))
    flat = found[0] if len(found) == 1 else np.concatenate(found) if found else np.zeros(0, dtype)
    return flat.reshape(dims) if flat.size == math.prod(dims) else None


def declared(content: Bytes) -> tuple[str, Known]:
    """Name and type of an input: ValueInfoProto {1 name, 2 type}, TypeProto {1 tensor}, Tensor {1 type, 2 shape}."""
    name, kind, dims = "", 0, None
    for number, value in fields(content, "an input"):
        if number == 1:
            name = text(value, "the name of an input")
        for part, inner in fields(value, "an input") if number == 2 and not isinstance(value, int) else ():
            for field, held in fields(inner, "an input") if part == 1 and not isinstance(inner, int) else ():
                if field == 1 and isinstance(held, int):
                    kind = held
                elif field == 2 and not isinstance(held, int):
                    dims = tuple(_size(each) for at, each in fields(held, "a shape") if at == 1)
    return name, Known(dims, kind)


def _size(content: int | Bytes) -> int:
    """A size that an input declares; at least 1 where it varies."""
    if isinstance(content, int):
        return -1
    size = next((value for number, value in fields(content, "a size") if number == 1), -1)
    return size if isinstance(size, int) and 0 <= size < 1 << 31 else -1
