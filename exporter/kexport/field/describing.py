"""What a single artifact file says of itself, without the bundle it came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kexport.bundle.digests import digest, size
from kexport.bundle.signature import Signature
from kexport.errors import BundleError, KexportError, reason
from kexport.process import Worker, WorkerCrashError
from kexport.runtimes import _runtime

_FORMATS = {".onnx": "onnx", ".tflite": "tflite", ".keras": "keras"}


def describe(path: Path) -> dict[str, Any]:
    """Signature, size, digest and versions of an artifact, read in a process of its own.

    Raises:
        BundleError: it is of no known kind, or the runtime cannot load it.
        MissingRuntimeError: no runtime that reads it is installed.
    """
    if not path.exists():
        raise BundleError(f"there is no file or folder {path}")
    if path.is_dir() and not (path / "saved_model.pb").exists():
        raise BundleError(f"{path} is neither a bundle nor a SavedModel", expected="manifest.json or saved_model.pb")
    format_name = "saved_model" if path.is_dir() else _FORMATS.get(path.suffix)
    if format_name is None:
        raise BundleError(
            f"{path} is of no known kind", expected=f"a folder, or a file ending in {', '.join(_FORMATS)}"
        )
    runtimes = [runtime for runtime in _runtime.every() if runtime.reads == format_name]
    runtime = next((runtime for runtime in runtimes if runtime.installed), runtimes[0])
    runtime.require()
    worker = Worker()
    try:
        (found,) = worker.run("kexport.field.describing:open_alone", path=str(path), runtime=runtime.name)
    except WorkerCrashError as crash:
        raise BundleError(f"{path} cannot be loaded by {runtime.name}", got=crash) from None
    finally:
        worker.close()
    details = _onnx_versions(path) if format_name == "onnx" else {}
    return {"format": format_name, "bytes": size(path), "sha256": digest(path), **details, **found}


def open_alone(path: str, runtime: str) -> Iterator[dict[str, Any]]:
    """Load the file and yield what it declares; runs in the worker."""
    try:
        opened = _runtime.get(runtime).opener(Path(path), Signature((), ()))
    except KexportError:
        raise
    except Exception as error:
        raise BundleError(f"{Path(path).name} cannot be loaded by {runtime}", got=reason(error)) from error
    yield {
        "inputs": [{"name": s.name, "dtype": s.dtype, "shape": list(s.shape)} for s in opened.inputs],
        "outputs": list(opened.outputs),
    }


def _onnx_versions(path: Path) -> dict[str, Any]:
    """IR version, producer and opset of an ONNX file.

    These are top-level fields of its protocol buffer message (onnx.proto, ModelProto): 1 ir_version, 2 and 3
    producer, 8 opset_import {1 domain, 2 version}. Reading them needs no onnx package, which devices lack.
    """
    found: dict[str, Any] = {"opset": {}}
    for field, value in _fields(path.read_bytes()):
        if field == 1:
            found["ir_version"] = value
        elif field in (2, 3) and isinstance(value, bytes):
            found["producer"] = f"{found.get('producer', '')} {value.decode(errors='replace')}".strip()
        elif field == 8 and isinstance(value, bytes):
            opset = dict(_fields(value))
            domain = opset.get(1, b"")
            found["opset"][domain.decode() if isinstance(domain, bytes) and domain else "ai.onnx"] = opset.get(2)
    return found


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protocol buffer message: varints as numbers, the rest as bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        length, at = (8, at) if kind == 1 else (4, at) if kind == 5 else _varint(message, at)
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
