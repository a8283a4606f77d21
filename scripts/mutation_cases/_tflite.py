"""Changes of a `.tflite` file: fields of its objects, written as a well-formed flatbuffer, or its words."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mutation_cases import _bytes
from mutation_cases._bytes import Edited

_INTEGERS = (0, 1, -1, 2, 3, 4, 7, 16, 100, 127, -128, 255, 1000, 65536, 2**24, 2**30, 2**31 - 1, -(2**31))
_FLOATS = (0.0, -1.0, float("nan"), float("inf"), 1e30, 1e-30)
_NAMES = (b"", b"x", b"a\0b", b"\xff\xfe", b"x" * 5000, b"\x1b[31m", "é".encode())
_Place = tuple[Any, str, str]


def _places(thing: Any, name: str = "model", depth: int = 0) -> Iterator[_Place]:
    """Each field of each object: the object, the field, and where it is."""
    if depth > 12:
        return
    for field, value in vars(thing).items():
        where = f"{name}.{field}"
        yield thing, field, where
        for index, each in enumerate(value if isinstance(value, list) else [value]):
            if hasattr(each, "__dict__"):
                yield from _places(each, f"{where}[{index}]" if isinstance(value, list) else where, depth + 1)


def _number(old: Any, rng: Random) -> Any:
    if isinstance(old, float):
        return rng.choice((*_FLOATS, old * 2))
    return rng.choice((*_INTEGERS, old + 1, old - 1, old * 2))


def _numbers(old: Any, rng: Random) -> Any:
    """A vector of numbers with one of them changed, or of another length."""
    values = list(map(int, old)) if np.asarray(old).dtype.kind in "iu" else list(map(float, old))
    how = rng.choice(("one", "one", "shorter", "longer", "empty", "none", "huge"))
    if how == "one" and values:
        place = rng.randrange(len(values))
        limits = np.iinfo(np.asarray(old).dtype) if np.asarray(old).dtype.kind in "iu" else None
        new = _number(values[place], rng)
        values[place] = max(limits.min, min(limits.max, new)) if limits else new
    elif how == "shorter":
        values = values[: rng.randrange(len(values) + 1)]
    elif how == "longer":
        values += values[-1:] * rng.choice((1, 2, 8)) or [1]
    elif how == "huge":
        values *= 50
    elif how in ("empty", "none"):
        return [] if how == "empty" else None
    return np.asarray(values, np.asarray(old).dtype)


def _objects(old: list[Any], rng: Random) -> Any:
    place = rng.randrange(len(old))
    return rng.choice(
        (old[:-1], old[1:], [*old, old[place]], old[::-1], old * 20, [], None, old[:place] + old[place + 1 :])
    )


def _changed(old: Any, rng: Random) -> Any:
    if isinstance(old, bool):
        return not old
    if isinstance(old, int | float):
        return _number(old, rng)
    if isinstance(old, bytes | bytearray):
        return rng.choice((*_NAMES, old + b"_", None))
    if isinstance(old, np.ndarray):
        return _numbers(old, rng)
    if isinstance(old, list) and old:
        return _numbers(old, rng) if isinstance(old[0], int | float) else _objects(old, rng)
    if old is None:
        return rng.choice((np.asarray([0], "int32"), b"x", 5, np.asarray([2**31 - 1] * 3, "int32")))
    return rng.choice((None, old))


def edit(content: bytes, rng: Random) -> Edited:
    """One change."""
    kind = rng.random()
    if kind < 0.35:
        return _bytes.edit(content, rng)
    try:
        model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
        places = list(_places(model))
        if kind < 0.9:  # the description of the model rather than one of the many fields of tables that matter less
            weighty = (".buffers", ".metadata", ".description")
            places = [place for place in places if not any(word in place[2] for word in weighty)] or places
        for _ in range(10):
            thing, field, where = rng.choice(places)
            old = getattr(thing, field)
            setattr(thing, field, _changed(old, rng))
            try:
                builder = flatbuffers.Builder(1024)
                builder.Finish(model.Pack(builder), b"TFL3")
                return f"another {where}", bytes(builder.Output())
            except Exception:  # noqa: BLE001  what cannot be written is no mutation
                setattr(thing, field, old)
    except Exception:  # noqa: BLE001  it cannot be read after an earlier change
        pass
    return _bytes.edit(content, rng)
