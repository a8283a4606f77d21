"""The first place at which two files differ, in the words of their format."""

from __future__ import annotations

import filecmp
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_WIDTH = 60  # characters of a value that are shown
_BLOCK = 1 << 20

#: Reads a file into what `_differences` can walk through.
Reader = Callable[[bytes], object]


def first_difference(one: Path, other: Path) -> str | None:
    """Where the second file first differs from the first one, and how; None if both have the same bytes."""
    if one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False):
        return None
    reader = _reader(one.name)
    if reader is not None:
        try:
            parsed = reader(one.read_bytes()), reader(other.read_bytes())
            return next(_differences("", *parsed), None) or _bytes_of(one, other)
        except Exception:  # noqa: BLE001  a damaged file may raise anything in its library: then bytes are told of
            pass
    return _bytes_of(one, other)


def _differences(place: str, one: object, other: object) -> Iterator[str]:
    """The differences of two values, in order, each with its place."""
    ours, theirs = _members(one), _members(other)
    if ours is None or theirs is None:
        if not _same(one, other):
            yield from _of_leaves(place, one, other)
        return
    for name in {**ours, **theirs}:
        where = f"{place}.{name}".lstrip(".")
        if isinstance(one, Sequence):
            where = f"{place}[{name}{_name_of(ours.get(name))}]"
        if name not in theirs:
            yield f"{where} is missing in the rebuilt file"
        elif name not in ours:
            yield f"{where} is only in the rebuilt file"
        else:
            yield from _differences(where, ours[name], theirs[name])


def _of_leaves(place: str, one: object, other: object) -> Iterator[str]:
    a, b = _as_array(one), _as_array(other)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and (a.dtype, a.shape) == (b.dtype, b.shape):
        index = next(index for index in np.ndindex(a.shape) if a[index].tobytes() != b[index].tobytes())
        place, one, other = f"{place}[{', '.join(map(str, index))}]", a[index], b[index]
    elif isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        one, other = f"{a.dtype}{list(a.shape)}", f"{b.dtype}{list(b.shape)}"
    yield f"{place}: {_shown(other)} instead of {_shown(one)}".lstrip(": ")


def _as_array(value: object) -> object:
    """Long bytes as an array; short ones are shown whole."""
    return np.frombuffer(value, np.uint8) if isinstance(value, bytes) and len(value) > _WIDTH else value


def _same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return (one.dtype, one.shape) == (other.dtype, other.shape) and one.tobytes() == other.tobytes()
    return type(one) is type(other) and repr(one) == repr(other)


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, np.generic) else repr(value)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."


def _members(value: Any) -> Mapping[str, object] | None:
    """The parts of a value by name, or by index in brackets; None of a value without parts."""
    if isinstance(value, Mapping):
        return {str(name): each for name, each in value.items()}
    if hasattr(value, "ListFields"):  # a message of a protocol buffer
        return {field.name: each for field, each in value.ListFields()}
    if hasattr(value, "InitFromObj"):  # an object of TFLite's schema
        return vars(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return {str(index): each for index, each in enumerate(value)}
    return None


def _name_of(item: Any) -> str:
    """The name of an item of a list after a space, if it has one."""
    name = getattr(item, "name", "")
    text = name.decode(errors="replace") if isinstance(name, bytes) else name
    return f" {text!r}" if isinstance(text, str) and text else ""


def _reader(name: str) -> Reader | None:
    return next((reader for suffix, reader in _READERS.items() if name.endswith(suffix)), None)


def _json(content: bytes) -> object:
    return json.loads(content)


def _archive(content: bytes) -> object:
    """The members of an archive by name, each read as its own name demands, after what the index says of them."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        index = [(entry.filename, entry.date_time, entry.external_attr, entry.extra) for entry in archive.infolist()]
        members = {}
        for entry in archive.infolist():
            reader = _reader(entry.filename)
            members[entry.filename] = reader(archive.read(entry)) if reader else archive.read(entry)
    return {**members, "index": index}


def _array(content: bytes) -> object:
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def _weights(content: bytes) -> object:
    import h5py

    found: dict[str, object] = {}

    def visit(name: str, item: Any) -> None:
        found[name] = {**dict(item.attrs), **({"value": np.asarray(item)} if isinstance(item, h5py.Dataset) else {})}

    with h5py.File(io.BytesIO(content), "r") as file:
        file.visititems(visit)
    return found


def _onnx(content: bytes) -> object:
    import onnx

    return onnx.ModelProto.FromString(content)


def _tflite(content: bytes) -> object:
    from tensorflow.lite.tools import flatbuffer_utils

    return flatbuffer_utils.read_model_from_bytearray(bytearray(content))


def _saved_model(content: bytes) -> object:
    from tensorflow.core.protobuf import saved_model_pb2

    return saved_model_pb2.SavedModel.FromString(content)


def _fingerprint(content: bytes) -> object:
    from tensorflow.core.protobuf import fingerprint_pb2

    return fingerprint_pb2.FingerprintDef.FromString(content)


_READERS: dict[str, Reader] = {
    ".json": _json,
    ".npz": _archive,
    ".npy": _array,
    ".keras": _archive,
    ".h5": _weights,
    ".onnx": _onnx,
    ".tflite": _tflite,
    "saved_model.pb": _saved_model,
    "fingerprint.pb": _fingerprint,
}


def _bytes_of(one: Path, other: Path) -> str:
    """The first byte at which two files differ, or that one of them is shorter."""
    with one.open("rb") as ours, other.open("rb") as theirs:
        at = 0
        while True:
            a, b = ours.read(_BLOCK), theirs.read(_BLOCK)
            if a != b:
                break
            at += len(a)
    shorter = min(len(a), len(b))
    offset = next((k for k in range(shorter) if a[k] != b[k]), shorter)
    if offset == shorter:
        sizes = one.stat().st_size, other.stat().st_size
        return f"{sizes[1]} bytes instead of {sizes[0]}, alike up to byte {at + offset}"
    return f"byte {at + offset}: 0x{b[offset]:02x} instead of 0x{a[offset]:02x}"
