"""What a single artifact declares about itself, without its bundle."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from kexport import runtimes
from kexport.bundle.digests import digest_of_all, size
from kexport.bundle.json_text import JsonObject
from kexport.bundle.regular_files import most_of, open_regular, resolved
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ArtifactError, BundleError, KexportError, UncheckedError, reason
from kexport.field.interface import declared_signature
from kexport.field.trust import NO_TRUST, Trust, TrustJson
from kexport.process import Worker, WorkerCrashError, WorkerLimitError
from kexport.runtimes import Opened, Runtime


class _FunctionJson(TypedDict):
    signature: JsonObject
    stated: bool
    foreign: Mapping[str, str]
    remarks: Mapping[str, str]
    quantized: Mapping[str, str]


class _DeclarationJson(TypedDict):
    functions: Sequence[_FunctionJson]
    details: Mapping[str, object]
    lacking: str


@dataclass(frozen=True)
class DeclaredFunction:
    """A function in an artifact.

    Attributes:
        signature: its inputs, and the outputs that are tensors.
        stated: whether dtypes and shapes of outputs are known; they may show only when it runs, and are placeholders
            otherwise.
        foreign: its other outputs, each with its type, in words.
        remarks: what else the artifact says about inputs and outputs, in words.
        quantized: for the inputs and outputs whose integers stand for real numbers, how they do.
    """

    signature: Signature
    stated: bool = True
    foreign: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)
    quantized: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Declaration:
    """What an artifact declares in a runtime.

    Attributes:
        functions: every function in it; the first is the one that runs where none is named.
        details: other facts from its file, such as its opset and operators.
        lacking: the operator without which the runtime cannot load it; then no function is known.
    """

    functions: Sequence[DeclaredFunction]
    details: Mapping[str, object] = field(default_factory=dict)
    lacking: str = ""


@dataclass(frozen=True)
class ArtifactFacts:
    """The facts about an artifact file or folder.

    Attributes:
        format: the name of its format.
        bytes: its size.
        sha256: its digest.
        declaration: what it declares.
    """

    format: str
    bytes: int
    sha256: str
    declaration: Declaration


def describe(path: Path, trust: Trust = NO_TRUST) -> ArtifactFacts:
    """Read an artifact in a process of its own.

    Args:
        path: the path of the artifact.
        trust: the user code that may run while it is loaded.

    Raises:
        BundleError: its format is unknown, or the runtime cannot load it.
        MissingCodeError: it needs code that was not given.
        MissingRuntimeError: no runtime that reads it is installed.
    """
    format_name = format_of(path)
    readers = [runtime for runtime in runtimes.every() if runtime.reads == format_name]
    runtime = next((runtime for runtime in readers if runtime.installed), readers[0])
    runtime.require()
    parts = runtime.file.parts(path)
    try:
        sha256, length = digest_of_all(parts, most_of(max_bytes=trust.max_bytes)), sum(map(size, parts))
    except ArtifactError as error:  # a file that was given is bad input
        raise BundleError(error.subject, got=error.facts["got"]) from None
    with closing(Worker(confinement=trust.confinement(length))) as worker:
        declaration = declaration_of(worker, path, runtime, trust)
    return ArtifactFacts(format_name, length, sha256, declaration)


def format_of(path: Path) -> str:
    """The name of an artifact's format, recognised by its file name or by the content of its folder.

    Raises:
        BundleError: there is no such file or folder, it cannot be read, or its format is unknown.
    """
    try:
        return _format_of(path)
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(f"there is no file or folder {path}") from None
    except OSError as error:
        raise BundleError(f"{path} cannot be read", got=error.strerror or error) from None


def _format_of(path: Path) -> str:
    if not os.path.isdir(resolved(path)):
        open_regular(path).close()
    files = [runtime.file for runtime in runtimes.every()]
    for file in files:
        if file.recognises(path):
            return file.format
    if path.is_dir():
        members = ", ".join(dict.fromkeys(file.member for file in files if file.member))
        raise BundleError(f"{path} is neither a bundle nor an artifact", expected=f"manifest.json or {members}")
    suffixes = ", ".join(dict.fromkeys(suffix for file in files for suffix in (file.suffix, *file.others) if suffix))
    raise BundleError(f"the format of {path} is unknown", expected=f"a folder, or a file ending in {suffixes}")


def declaration_of(worker: Worker, path: Path, runtime: Runtime, trust: Trust = NO_TRUST) -> Declaration:
    """What an artifact declares in a runtime.

    Args:
        worker: the process that loads it.
        path: the path of the artifact.
        runtime: the one that loads it.
        trust: the user code that may run while it is loaded.

    Raises:
        BundleError: the runtime cannot load it.
        UncheckedError: it needs more time or memory than it may take.
    """
    call = f"{__name__}:{serve.__name__}"
    try:
        (declared,) = worker.run(call, path=str(path), name=runtime.name, trust=trust.to_json())
    except WorkerLimitError as limit:
        raise UncheckedError(f"{path} cannot be loaded by {runtime.name}", got=limit) from None
    except WorkerCrashError as crash:
        raise BundleError(f"{path} cannot be loaded by {runtime.name}", got=crash) from None
    functions = [
        DeclaredFunction(
            declared_signature(each["signature"], path.name),
            each["stated"],
            each["foreign"],
            each["remarks"],
            each["quantized"],
        )
        for each in declared["functions"]
    ]
    return Declaration(functions, declared["details"], declared["lacking"])


def serve(path: str, name: str, trust: TrustJson) -> Iterator[_DeclarationJson]:
    """Load an artifact in this process, and yield what it declares."""
    runtime, trusted = runtimes.get(name), Trust.from_json(trust)

    def opened_as(name: str) -> Opened:
        return trusted.open(runtime, Path(path), Signature((), (), name)).opened

    try:
        opened = opened_as("")
        functions = {each: opened_as(each) for each in opened.signatures} or {"": opened}
    except ArtifactError as error:  # a file that somebody named, and not one that a manifest vouches for
        if lacking := runtime.lacking(str(error.facts["got"])):
            yield {"functions": [], "details": _details(runtime, Path(path)), "lacking": lacking}
            return
        got, expected = error.facts["got"], error.facts["expected"]
        hint = "copy it again, or write it anew from where it came"
        raise BundleError(error.subject, got=got, expected=expected, hint=hint) from error
    except KexportError:
        raise
    except Exception as error:
        raise BundleError(f"{Path(path).name} cannot be loaded by {name}", got=reason(error)) from error
    yield {
        "functions": [_function(name, each) for name, each in functions.items()],
        "details": _details(runtime, Path(path)),
        "lacking": "",
    }


def _details(runtime: Runtime, path: Path) -> Mapping[str, object]:
    try:
        return runtime.file.details(path)
    except Exception as error:  # whatever a reader of the format raises
        raise BundleError(f"{path.name} cannot be described", got=reason(error)) from error


def _function(name: str, opened: Opened) -> _FunctionJson:
    unstated = [output for output in opened.outputs if output not in opened.foreign]
    outputs = opened.produced or tuple(TensorSpec(output, "float32", ()) for output in unstated)
    signature = Signature(opened.inputs, outputs, name)
    return {
        "signature": signature.to_json(),
        "stated": bool(opened.produced),
        "foreign": opened.foreign,
        "remarks": opened.remarks,
        "quantized": {name: str(each) for name, each in opened.quantization.items()},
    }
