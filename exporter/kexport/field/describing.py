"""What a single artifact file says of itself, without the bundle it came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kexport.bundle.digests import digest, size
from kexport.bundle.signature import Signature
from kexport.errors import BundleError, KexportError, reason
from kexport.process import Worker, WorkerCrashError
from kexport.runtimes import _onnx_file, _runtime, _tflite_file

_FORMATS = {".onnx": "onnx", ".tflite": "tflite", ".keras": "keras"}
_DETAILS = {"onnx": _onnx_file.details, "tflite": _tflite_file.details}


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
        (found,) = worker.run("kexport.field.describing:open_alone", path=str(path), name=runtime.name)
    except WorkerCrashError as crash:
        raise BundleError(f"{path} cannot be loaded by {runtime.name}", got=crash) from None
    finally:
        worker.close()
    return {"format": format_name, "bytes": size(path), "sha256": digest(path), **found}


def open_alone(path: str, name: str) -> Iterator[dict[str, Any]]:
    """Load the file and yield what it declares; runs in the worker."""
    runtime = _runtime.get(name)
    try:
        opened = runtime.opener(Path(path), Signature((), ()))
    except KexportError:
        raise
    except Exception as error:
        raise BundleError(f"{Path(path).name} cannot be loaded by {name}", got=reason(error)) from error
    yield {
        "inputs": [{"name": s.name, "dtype": s.dtype, "shape": list(s.shape)} for s in opened.inputs],
        "outputs": list(opened.outputs),
        **(_DETAILS[runtime.reads](Path(path)) if runtime.reads in _DETAILS else {}),
    }
