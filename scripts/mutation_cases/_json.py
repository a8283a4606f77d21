"""Changes of JSON: values of other types, numbers and texts that nobody expects, keys, depth, and encodings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from mutation_cases import _bytes
from mutation_cases._bytes import Edited

_MARK = "\ue000mark\ue000"  # stands for a piece of text that is not JSON as Python writes it
_RAW = (
    "1e999", "-1e999", "NaN", "-Infinity", "1" + "0" * 400, "1" + "0" * 5000, "-0", "1e308", "1e-999", "0.1e1000000",
    "9007199254740993", "9223372036854775808", '"\\ud800"', '"a\\u0000b"', "[" * 1000 + "]" * 1000,
    "[" * 100_000 + "]" * 100_000, '{"a":' * 1000 + "1" + "}" * 1000, '{"a":' * 100_000 + "1" + "}" * 100_000, "01",
    "'a'",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 0.5, -0.5, 1e30, -1e30, 2**31, 2**63, -(2**63), 2**64, 10**18, "", "x", "é",
    "\x1b[31mred\x1b[0m\x07",
    "a\nb", "../../watched/secret", "/etc/passwd", "/dev/zero", "..", ".", "a/../../b", "C:\\x", "~", "nul", "x" * 300,
    "x" * 70_000, "f4,,", "float16", "float64", "O", "object", "S8", "V16", "M8[ns]", "i4,f8", "bfloat16", "string",
    "complex64",
    "int8", "uint8", "uniform(0, 1e400)", "ints(0, 10**10)", "choice()", "features(" * 500, "uniform(-5, 5) * 2", [],
    {}, [None], [[]], {"": None}, [0], {"a": 1}, list(range(3000)), "onnx", "tflite", "keras", "saved_model",
    "\u202eabc",
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _places(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _places(each, (*path, index))


def _get(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _near(old: Any, rng: Random) -> Any:
    """Another value of the same type."""
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        return rng.choice((old + 1, old - 1, -old, old * 1000, old * 10**9, float(old), 0))
    if isinstance(old, float):
        return rng.choice((old * 2, -old, old * 1e30, old * 1e-30, 0.0, int(old)))
    if isinstance(old, str):
        return rng.choice((old + "_", old[:-1], old.upper(), old + "\0", old * 200, " " + old, old + "/..", f"./{old}"))
    if isinstance(old, list):
        return rng.choice((old * 2, old[:-1], old[::-1], old[1:], old * 500, [old]))
    if isinstance(old, dict):
        return rng.choice((list(old), {}, {"x": old}, {**old, "x": old}))
    return 0


def _in_text(data: Any, path: tuple[Any, ...], raw: str) -> str:
    """The data as text, with a piece of raw text in one place."""
    if not path:
        return raw
    _get(data, path[:-1])[path[-1]] = _MARK
    return json.dumps(data, indent=2).replace(json.dumps(_MARK), raw)


def _other_key(data: Any, rng: Random) -> Edited:
    places = [path for path in _places(data) if path and isinstance(path[-1], str)]
    path = rng.choice(places)
    parent, key = _get(data, path[:-1]), path[-1]
    how = rng.choice(("remove", "rename", "duplicate", "add"))
    if how == "duplicate":
        value = json.dumps(rng.choice((_near(parent[key], rng), rng.choice(_VALUES), parent[key])))
        text = _in_text(data, path, f"{json.dumps(parent[key])}, {json.dumps(key)}: {value}")
        return f"duplicate the key {key}", text.encode()
    if how == "add":
        parent[rng.choice(("x", "", "schema", "external", "samples", "code", "stateful", "refused", "details"))] = (
            rng.choice(_VALUES)
        )
    else:
        value = parent.pop(key)
        if how == "rename":
            parent[key + "_"] = value
    return f"{how} the key {'.'.join(map(str, path))}", json.dumps(data, indent=2).encode()


def _other_encoding(content: bytes, rng: Random) -> Edited:
    text = content.decode()
    name, changed = rng.choice(
        (
            ("byte order mark", b"\xef\xbb\xbf" + content),
            ("UTF-16", text.encode("utf-16")),
            ("UTF-32", text.encode("utf-32")),
            ("a byte that is no UTF-8", content.replace(b'"', b'"\xff', 1)),
            ("twice", content * 2),
            ("after it something else", content + b"x"),
            ("40 MB of spaces", content + b" " * 40_000_000),
            ("in a list", b"[" + content + b"]"),
        )
    )
    return name, changed


def edit(content: bytes, rng: Random) -> Edited:
    """One change; of bytes where the content is no JSON any more."""
    kind = rng.random()
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return _bytes.edit(content, rng)
    if kind < 0.1:
        return _bytes.edit(content, rng)
    if kind < 0.13:
        return _other_encoding(content, rng)
    if kind < 0.3 and isinstance(data, dict) and data:
        return _other_key(data, rng)
    path = rng.choice(list(_places(data)))
    where = ".".join(map(str, path)) or "all"
    if kind < 0.5:
        return f"other text at {where}", _in_text(data, path, rng.choice(_RAW)).encode()
    value = _near(_get(data, path), rng) if kind < 0.75 else rng.choice(_VALUES)
    return f"another value at {where}", _in_text(data, path, json.dumps(value)).encode()
