"""What a single artifact file says of itself, without the bundle it came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kexport.bundle.digests import digest, size
from kexport.bundle.signature import Signature
from kexport.errors import BundleError, KexportError, reason
from kexport.field.trust import NO_TRUST, Trust, TrustJson
from kexport.process import Worker, WorkerCrashError
from kexport.runtimes import Runtime
from kexport.runtimes import every as every_runtime
from kexport.runtimes import get as get_runtime


def describe(path: Path) -> dict[str, Any]:
    """Signature, size, digest and versions of an artifact, read in a process of its own.

    Raises:
        BundleError: it is of no known kind, or the runtime cannot load it.
        MissingRuntimeError: no runtime that reads it is installed.
    """
    format_name = format_of(path)
    runtimes = [runtime for runtime in every_runtime() if runtime.reads == format_name]
    runtime = next((runtime for runtime in runtimes if runtime.installed), runtimes[0])
    runtime.require()
    worker = Worker()
    try:
        found = declared(worker, path, runtime)
    finally:
        worker.close()
    return {"format": format_name, "bytes": size(path), "sha256": digest(path), **found}


def format_of(path: Path) -> str:
    """The format of an artifact, by its name.

    Raises:
        BundleError: it is of no known kind, or there is none.
    """
    if not path.exists():
        raise BundleError(f"there is no file or folder {path}")
    for runtime in every_runtime():
        if runtime.file.recognises(path):
            return runtime.reads
    files = [runtime.file for runtime in every_runtime()]
    if path.is_dir():
        members = ", ".join(dict.fromkeys(file.member for file in files if file.member))
        raise BundleError(f"{path} is neither a bundle nor an artifact", expected=f"manifest.json or {members}")
    suffixes = dict.fromkeys(file.suffix for file in files if file.suffix)
    raise BundleError(f"{path} is of no known kind", expected=f"a folder, or a file ending in {', '.join(suffixes)}")


def declared(worker: Worker, path: Path, runtime: Runtime, trust: Trust = NO_TRUST) -> dict[str, Any]:
    """What an artifact declares in a runtime: inputs, names of outputs, versions.

    Args:
        worker: the process that loads it.
        path: of the artifact.
        runtime: that reads it.
        trust: the user code that may run while a `.keras` file is loaded.

    Raises:
        BundleError: the runtime cannot load it.
    """
    call = f"{__name__}:{open_alone.__name__}"
    try:
        (found,) = worker.run(call, path=str(path), name=runtime.name, trust=trust.to_json())
    except WorkerCrashError as crash:
        raise BundleError(f"{path} cannot be loaded by {runtime.name}", got=crash) from None
    return dict(found)


def open_alone(path: str, name: str, trust: TrustJson) -> Iterator[dict[str, Any]]:
    """Load the file and yield what it declares; runs in the worker."""
    runtime = get_runtime(name)
    try:
        opened = Trust.from_json(trust).open(runtime, Path(path), Signature((), ())).opened
    except KexportError:
        raise
    except Exception as error:
        raise BundleError(f"{Path(path).name} cannot be loaded by {name}", got=reason(error)) from error
    yield {
        "inputs": [{"name": s.name, "dtype": s.dtype, "shape": list(s.shape)} for s in opened.inputs],
        "outputs": list(opened.outputs),
        **(runtime.file.details(Path(path)) if runtime.file.details is not None else {}),
    }
