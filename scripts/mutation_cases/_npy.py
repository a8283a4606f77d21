"""Changes of a `.npy` file: its header, and its numbers."""

from __future__ import annotations

import ast
import io
import pickle
import struct
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from mutation_cases import _bytes
from mutation_cases._bytes import Edited

_DTYPES = (
    "<f2", "<f4", "<f8", ">f8", "<f16", "|O", "|S0", "<U0", "<U1000000", "|V8", "<i8", "|b1", "<c16", "<M8[ns]",
    "f4,,", "x", "",
    "<f4,<i4", "|i1", "<m8", "i4, (2,3)f8", "<f9", "f4" * 5000, [("a", "<f4")], [("a", "|O")], None, 5,
)  # fmt: skip
_SHAPES = (
    (), (0,), (10**9,), (10**18,), (2**63,), (-1,), (2**32, 2**32), (1.5,), ("a",), (1,) * 33, (1,) * 70, (True,),
    None, 5, (None,),
    (3, -1), (10**400,), (2**40, 0),
)  # fmt: skip
_TEXTS = (
    "{" * 200, "(" * 5000, "[" * 9000, "9" * 9000, "-" * 9000 + "1", "\0" * 60, "'" * 3, "",
    "{'descr': '<f4'}", "{'shape': (1,), 'descr': '<f4', 'fortran_order': False, 'x': 1}",
    "__import__('os').system('touch ran')", "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
    "{'descr': " + "[" * 300 + "'<f4'" + "]" * 300 + ", 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1L,)}",
)  # fmt: skip


class _Canary:
    """Leaves a file behind where it is unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("ran"),)


def with_header(header: str, body: bytes, version: tuple[int, int] = (1, 0)) -> bytes:
    """A file with any text as its header."""
    text = header.encode("utf-8", "surrogatepass") + b"\n"
    length = struct.pack(
        "<H" if version == (1, 0) else "<I", min(len(text), 0xFFFF if version == (1, 0) else 2**32 - 1)
    )
    return b"\x93NUMPY" + bytes(version) + length + text + body


def _other_numbers(content: bytes, rng: Random) -> Edited:
    array = np.load(io.BytesIO(content), allow_pickle=False)
    name, change = rng.choice(
        (
            ("NaN", lambda a: np.full_like(a, np.nan)),
            ("infinity", lambda a: np.full_like(a, np.inf)),
            ("half precision", lambda a: a.astype("float16")),
            ("single precision", lambda a: a.astype("float32")),
            ("double precision", lambda a: a.astype("float64")),
            ("other byte order", lambda a: a.astype(a.dtype.newbyteorder())),
            ("complex", lambda a: a.astype("complex128")),
            ("text", lambda a: a.astype("str")),
            ("zeros", np.zeros_like),
            ("twice as large", lambda a: a * 2),
            ("transposed", np.transpose),
            ("one row less", lambda a: a[1:] if a.ndim else a),
            ("no row", lambda a: a[:0] if a.ndim else a),
            ("one axis more", lambda a: a[None]),
            ("flat", np.ravel),
        )
    )
    stream = io.BytesIO()
    with np.errstate(all="ignore"):
        np.save(stream, change(array), allow_pickle=False)
    return name, stream.getvalue()


def edit(content: bytes, rng: Random) -> Edited:
    """One change of the header or the numbers; of bytes where it is no `.npy` file any more."""
    kind = rng.random()
    if kind < 0.25 or not content.startswith(b"\x93NUMPY\x01\x00"):
        return _bytes.edit(content, rng)
    if kind < 0.3:
        return "a pickle", with_header(
            "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", pickle.dumps([_Canary()])
        )
    if kind < 0.32:
        return "only a pickle", pickle.dumps(_Canary())
    length = struct.unpack("<H", content[8:10])[0]
    header, body = content[10 : 10 + length].decode("latin1").strip(), content[10 + length :]
    if kind < 0.6:
        try:
            return _other_numbers(content, rng)
        except (ValueError, TypeError, SyntaxError, EOFError):
            return _bytes.edit(content, rng)
    if kind < 0.68:
        version = rng.choice(((2, 0), (3, 0), (4, 0), (0, 0), (255, 255)))
        return f"version {version}", with_header(header, body, version)
    if kind < 0.78:
        return "another header", with_header(rng.choice(_TEXTS), body, rng.choice(((1, 0), (2, 0))))
    try:
        fields = dict(ast.literal_eval(header))
    except (ValueError, SyntaxError):
        return _bytes.edit(content, rng)
    key, values = rng.choice((("descr", _DTYPES), ("shape", _SHAPES), ("fortran_order", (True, 1, None, "yes"))))
    value = rng.choice(values)
    return f"{key} {str(value)[:40]}", with_header(repr({**fields, key: value}), body)
