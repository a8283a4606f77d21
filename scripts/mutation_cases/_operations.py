"""The operations that a mutated bundle meets, in a process that may die of it, and the judgement of what they did."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

import kexport
from kexport.bundle import counterexamples, witnesses
from kexport.bundle.signed_statement import FILE_NAME as SIGNATURE
from kexport.errors import KexportError
from mutation_cases import _envelope
from mutation_cases._bases import Base
from mutation_cases._mutation import OPERATORS, Files, Mutation, Special, operator_of

#: How an operation ended, if it ended well. All else is a failure.
SERVED, REFUSED, GREEN, RED = "served", "refused", "green", "red"
FAILURES = ("raw", "wrong", "wrote", "ran", "memory", "hang", "died")
Verdict = tuple[str, str]
_SPARSE = 1 << 37  # bytes
_MOST_NUMBERS = 10_000_000  # of an input that a mutated signature asks for


class WrongError(Exception):
    """Something was accepted that must not be."""


def write(files: Files, folder: Path, watched: Path) -> None:
    """Write a bundle, and remove what else is in the folder.

    Args:
        files: the bundle.
        folder: where it is to be.
        watched: the healthy bundle outside of it, to which links lead.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        put(content, folder / name, watched)


def put(content: bytes | Special, path: Path, watched: Path) -> None:
    """Write one file, or what is in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content.what == "link":
        outside = watched / content.target
        path.symlink_to(outside if outside.is_file() else content.target)
    elif content.what == "pipe":
        os.mkfifo(path)
    elif content.what == "folder":
        path.mkdir()
    elif content.what == "sparse":
        with path.open("wb") as file:
            file.truncate(_SPARSE)


@contextlib.contextmanager
def in_place(files: Files, base: Base, folder: Path, watched: Path) -> Iterator[None]:
    """The mutated bundle in the folder of the healthy one, which is restored after it; most files are as they were."""
    changed = [name for name in base.files if files.get(name) is not base.files[name]]
    added = [name for name in files if name not in base.files]
    for name in changed:
        (folder / name).unlink()
    for name in (*changed, *added):
        if name in files:
            with contextlib.suppress(OSError):
                (folder / name).rmdir()  # a folder whose files are gone, as it is now one file itself
            put(files[name], folder / name, watched)
    try:
        yield
    finally:
        for name in (*added, *changed):  # a link in the place of a folder first
            path = folder / name
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
        for name in changed:
            put(base.files[name], folder / name, watched)


def judged(mutation: Mutation, files: Files, folder: Path) -> Verdict:
    """Do the operation on the bundle in the folder; returns how it ended, and with what."""
    try:
        verdict = _OPERATIONS[mutation.operation](mutation, folder)
        if verdict in (SERVED, GREEN):
            _require_refusable(mutation, files)
    except KexportError as error:
        return _refusal(str(error), type(error).__name__)
    except click.ClickException as error:
        return REFUSED, type(error).__name__
    except WrongError as error:
        return "wrong", str(error)
    except MemoryError as error:
        return "raw", f"MemoryError {_place(error)}"
    except BaseException as error:  # noqa: BLE001  nothing else may be raised
        return "raw", f"{type(error).__name__} {_place(error)}: {str(error)[:150]}"
    return verdict, ""


def _refusal(text: str, name: str) -> Verdict:
    control = sorted({c for c in text if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or c in "\u202e\u2028"})
    return ("wrong", f"control characters {control} in the message of {name}") if control else (REFUSED, name)


def _place(error: BaseException) -> str:
    """Where in kexport it was raised."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/kexport/" in f.filename]
    return f"at {frames[-1].filename.partition('/kexport/')[2]}:{frames[-1].name}" if frames else ""


def _require_refusable(mutation: Mutation, files: Files) -> None:
    """Raise unless the operation may accept this: not a wrong digest, nor a link out of the bundle that it read."""
    read = {
        "load": ("manifest.json",),
        "isolated": ("manifest.json",),
        "run": ("manifest.json",),
        "inspect": ("manifest.json", "report.json"),
        "verify": ("manifest.json", "goldens.npz", "model.onnx" if mutation.runtime == "onnxruntime" else ""),
        "goldens": ("manifest.json", "goldens.npz"),
    }.get(mutation.operation, ())
    changed = files.get(mutation.path) != mutation.base.files.get(mutation.path)  # two changes may undo each other
    if mutation.stale and changed and mutation.operation in ("load", "isolated", "run", "verify", "goldens"):
        raise WrongError("a file whose digest is not the manifest's")
    if isinstance(special := files.get(mutation.path), Special) and mutation.path in read:
        raise WrongError(f"{special.what} {special.target} in the place of {mutation.path}".replace("  ", " "))


def _load(mutation: Mutation, folder: Path, isolated: bool | None = None) -> str:
    session = kexport.load(folder, mutation.runtime or None, isolated=isolated)
    _require_same_signature(mutation, session.signature)
    if mutation.kind in OPERATORS:
        feeds: Mapping[str, Any] | None = operator_of(mutation).feeds()
    else:
        feeds = _feeds(mutation.base, session.signature)
    if feeds is not None:
        outputs = session(feeds)
        for spec in session.signature.outputs:
            _require_declared(spec, outputs[spec.name])
    session.close()
    return SERVED


def _isolated(mutation: Mutation, folder: Path) -> str:
    """Load into a process of its own, whose death must not be ours."""
    return _load(mutation, folder, isolated=True)


def _signed(mutation: Mutation, folder: Path) -> str:
    """Load a bundle that must have been signed: only its signature may have changed, and not what that states."""
    kexport.load(folder, mutation.runtime or None, signed_by=mutation.base.key).close()
    if mutation.path != SIGNATURE:
        raise WrongError("a file that is not what was signed")
    if _envelope.payload_of((folder / SIGNATURE).read_bytes()) != _envelope.payload_of(mutation.base.files[SIGNATURE]):
        raise WrongError("a statement that was not signed")
    return SERVED


def _require_same_signature(mutation: Mutation, found: Any) -> None:
    """Raise if the artifact is healthy, and the manifest says other names, dtypes or ranks."""
    if mutation.kind != "manifest":
        return
    for ours, theirs in (
        (mutation.base.signature.inputs, found.inputs),
        (mutation.base.signature.outputs, found.outputs),
    ):
        one, other = ([(s.name, s.numpy_dtype, len(s.shape)) for s in specs] for specs in (ours, theirs))
        if one != other:
            raise WrongError("name, dtype or rank of the manifest is not the artifact's")


def _feeds(base: Base, signature: Any) -> Mapping[str, Any] | None:
    """Inputs that fit the signature: those of a golden where they do."""
    feeds = {}
    for spec in signature.inputs:
        healthy = base.feeds.get(spec.name)
        try:
            if healthy is not None:
                feeds[spec.name] = spec.check(healthy)
                continue
        except KexportError:
            pass  # the signature is another one
        shape = [2 if size is None else size for size in spec.shape]
        if np.prod(np.array(shape, object)) > _MOST_NUMBERS or min(shape, default=1) < 0:
            return None
        feeds[spec.name] = np.zeros(shape, spec.numpy_dtype)
    return feeds


def _require_declared(spec: Any, value: Any) -> None:
    sizes_fit = all(want is None or want == size for want, size in zip(spec.shape, value.shape, strict=False))
    same_kind = value.dtype == spec.numpy_dtype or spec.numpy_dtype.kind in "US"
    if not same_kind or len(spec.shape) != value.ndim or not sizes_fit:
        raise WrongError("an output has not the dtype or shape that the manifest states")


def _command(*arguments: object) -> tuple[int, str]:
    """A command as a user types it: exit code, and what it writes to standard output, by the command's own stream."""
    from kexport.cli import _streams
    from kexport.cli._group import kexport as command

    output, errors = os.memfd_create("output"), os.memfd_create("errors")
    try:
        stream = _streams._Text(output)
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(_streams._Text(errors)):
            code = command.main([str(each) for each in arguments], standalone_mode=False)
        stream.flush()
        text = os.pread(output, os.fstat(output).st_size, 0).decode()
    finally:
        os.close(output)
        os.close(errors)
    verdict, told = _refusal(text, f"kexport {arguments[0]}")
    if verdict == "wrong":
        raise WrongError(told)
    return int(code or 0), text


def _run(mutation: Mutation, folder: Path) -> str:
    source = folder.parent / (mutation.path if mutation.kind == "input" else "input.npz")
    runtime = ("--runtime", mutation.runtime) if mutation.runtime else ()
    _command("run", folder, "--input", source, *runtime)
    return SERVED


def _inspect(mutation: Mutation, folder: Path) -> str:
    bare = mutation.kind in ("onnx", "tflite", "keras")
    path = folder / ("saved_model" if mutation.kind == "saved_model" else mutation.path if bare else "")
    _command("inspect", path)
    return SERVED


def _verify(mutation: Mutation, folder: Path) -> str:
    search = ("--search", "20") if mutation.kind == "samples" else ()
    code, text = _command("verify", folder, "--runtime", mutation.runtime or "litert", "--json", *search)
    if code == 0:
        compared = [check for check in json.loads(text)["checks"] if check["kind"] == "parity"]
        if {check.get("output") for check in compared} != {spec.name for spec in mutation.base.signature.outputs}:
            raise WrongError("green, though not every output was compared")
        _require_right(mutation, folder)
    return GREEN if code == 0 else RED


def _compare(mutation: Mutation, folder: Path) -> str:
    healthy = folder.parent.parent / "watched" / mutation.base.name
    code, _ = _command(
        "compare", healthy, folder, "--search", "20", "--json", "--runtime", mutation.runtime or "litert"
    )
    if code == 0:
        _require_right(mutation, folder)
    return GREEN if code == 0 else RED


def _require_right(mutation: Mutation, folder: Path) -> None:
    """Raise if what was found right differs from the healthy bundle on its goldens."""
    if mutation.kind in ("onnx", "tflite", "external"):
        session = kexport.load(folder, mutation.runtime)
        for golden in mutation.base.goldens:
            outputs = session(dict(golden.inputs))
            for name, truth in golden.truth.items():
                _require_close(outputs[name], truth, mutation.base.limits[name], f"output {name} is wrong")
    bundle = kexport.Bundle.open(folder)
    _require_same_signature(mutation, bundle.signature)
    if mutation.kind == "goldens" and mutation.operation == "verify":
        for own, golden in zip(bundle.goldens(), mutation.base.goldens, strict=False):
            same = all(np.array_equal(own.inputs[n], golden.inputs[n], equal_nan=True) for n in golden.inputs)
            for name, truth in golden.truth.items() if same else ():
                _require_close(own.truth[name], truth, mutation.base.limits[name], f"the truth of {name} is wrong")


def _require_close(value: Any, truth: Any, limit: float, what: str) -> None:
    if value.shape != truth.shape:
        raise WrongError(what)
    with np.errstate(all="ignore"):
        far = np.abs(value.astype("complex128") - truth) > 20 * limit  # a runtime may have some times the limit
    if far.any() or not np.array_equal(np.isnan(value), np.isnan(truth)):
        raise WrongError(what)


def _goldens(mutation: Mutation, folder: Path) -> str:
    """Read goldens, domains and report, as whoever uses the Python interface does."""
    bundle = kexport.Bundle.open(folder)
    for golden in bundle.goldens():
        bundle.signature.check(dict(golden.inputs))
    for domain in bundle.domains().values():
        str(domain)
    return SERVED


def _witnesses(mutation: Mutation, folder: Path) -> str:
    """Read witnesses and counterexamples, each by itself: one that is refused hides no other."""
    signature, verdict = kexport.Bundle.open(folder).signature, SERVED
    for module in (witnesses, counterexamples):
        for path in module.paths(folder):
            try:
                module.read(folder / path, signature)
            except KexportError as error:
                verdict, told = _refusal(str(error), type(error).__name__)
                if verdict == "wrong":
                    raise WrongError(told) from None
    return verdict


_OPERATIONS: Mapping[str, Callable[[Mutation, Path], str]] = {
    "load": _load,
    "isolated": _isolated,
    "run": _run,
    "inspect": _inspect,
    "verify": _verify,
    "compare": _compare,
    "goldens": _goldens,
    "witnesses": _witnesses,
    "signed": _signed,
}
