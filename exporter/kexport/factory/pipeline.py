"""The build: source, trace, formats, truth, and the check of the finished bundle, in that order.

Importing TensorFlow is most of a small build. So it is imported once, and this process is copied before TensorFlow
has run anything: each converter, which can crash or take for ever, gets a copy of its own, and one of them reloads
afterwards what TensorFlow can read. Where TensorFlow has run already, new processes import it beside this one. The
other runtimes check the bundle in processes that never import TensorFlow.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kexport.bundle import domain as domain_module
from kexport.bundle import goldens, manifest, store
from kexport.bundle.digests import digest, size
from kexport.bundle.folder import REPORT_NAME, Bundle
from kexport.bundle.manifest import Artifact, Manifest
from kexport.bundle.report import Report
from kexport.errors import ExportError, MissingExtraError, reason
from kexport.factory.formats import _format
from kexport.factory.formats._format import Format
from kexport.factory.sources import _source
from kexport.factory.sources._source import Source
from kexport.field.verifying import Observer, group_of, verify
from kexport.imports import require, run_imports
from kexport.process import QUIET_ENVIRONMENT, Worker, WorkerCrashError
from kexport.runtimes import _runtime
from kexport.runtimes._keras_model import allowing_lambda

_NO_MORE_DATA = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS)
DEFAULT_FORMATS = ("keras", "saved_model", "onnx", "tflite")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What is to be built."""

    source: Source
    out: Path
    formats: tuple[Format, ...]
    domain: Mapping[str, Any]
    imports: tuple[str, ...]
    allow_lambda: bool
    options: Mapping[str, Any] = field(default_factory=dict)


def build(
    model: Any,
    out: str | Path | None = None,
    *,
    formats: Sequence[str] = DEFAULT_FORMATS,
    domain: Mapping[str, Any] | None = None,
    settings: Mapping[str, str] | None = None,
    imports: Sequence[str] = (),
    allow_lambda: bool = False,
    progress: Progress = lambda step: None,
    observe: Observer = lambda check: None,
) -> Bundle:
    """Build a bundle from a Keras model and check it in every runtime that its formats have.

    Args:
        model: a live `keras.Model`, the name of a registered model, or the path of a `.keras` file.
        out: the bundle's folder; by default `artifacts/NAME`.
        formats: which to write.
        domain: of some or all inputs: a text such as `"uniform(-5, 5)"`, a `(low, high)` pair, or an array of
            recorded samples whose first axis counts the samples.
        settings: parameters of a registered model, as text.
        imports: files or modules that register the layers of a `.keras` file.
        allow_lambda: load Lambda layers from a `.keras` file, which runs the bytecode in it.
        progress: called with the name of each step as it begins.
        observe: called with each check as soon as it is made.

    Returns:
        The bundle. When a check failed, `.passed` is False and it lies at `OUT.rejected`; nothing is raised.

    Raises:
        KexportError: the request is wrong, or the model cannot be loaded or exported.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(allowing_lambda(allow_lambda))
        for name in imports:
            require(name)
        source = _source.find(model, settings or {})
        chosen = tuple(_format.get(name) for name in dict.fromkeys(formats))
        request = Request(source, _target(out, source), chosen, _declared(domain, source), tuple(imports), allow_lambda)
        _require_packages(chosen)
        return _build(request, progress, observe)


def _build(request: Request, progress: Progress, observe: Observer) -> Bundle:
    target = request.out
    with store.staging(target) as folder, contextlib.ExitStack() as stack:
        progress("importing TensorFlow")
        workers = [stack.enter_context(contextlib.closing(worker)) for worker in _tensorflow_workers(request.formats)]
        progress("loading the model")
        run_imports(request.imports)
        loaded = request.source.load()
        try:
            notes = _write(request, loaded, folder, workers, progress)
            for worker in workers[1:]:
                worker.close()
            progress("checking every artifact in its runtimes")
            report = _check(request, folder, workers[0], observe, notes)
            manifest.write_json(folder / REPORT_NAME, report.to_json())
        except OSError as error:
            raise store.unwritable(target, error) from error
        final = target if report.passed else store.rejected(target)
        store.place(folder, final)
        if report.passed:
            store.remove(store.rejected(target))
        return Bundle.open(final)


def _write(request: Request, model: Any, folder: Path, workers: Sequence[Worker], progress: Progress) -> list[str]:
    """Write artifacts, goldens and manifest into the folder; returns notes for the report."""
    # These import TensorFlow, which must first be imported quietly.
    from kexport.factory import handover
    from kexport.factory.domains import settle
    from kexport.factory.provenance import provenance
    from kexport.factory.trace import trace
    from kexport.factory.truth import establish

    progress("tracing")
    program = trace(model)
    domains, notes = settle(program, request.domain)
    details: dict[str, dict[str, Any]] = {}
    converting = dict(zip([form for form in request.formats if form.converter], workers, strict=False))
    passing = folder / ".handover"
    if converting:
        handover.write(program, passing)
    for form, worker in converting.items():
        worker.submit(
            form.converter or "", handover=str(passing), target=str(folder / form.path), options=request.options
        )
    for form in request.formats:
        if form.writer is not None:
            progress(f"writing {form.name}")
            details[form.name] = _writing(form.writer, program, folder / form.path, form.name)
    progress("computing the truth in float64")
    truth = establish(program, domains)
    goldens.write(folder / goldens.FILE_NAME, truth.goldens)
    for form, worker in converting.items():
        progress(f"writing {form.name}")
        details[form.name] = _result(worker, form)
    store.remove(passing)
    artifacts = tuple(
        Artifact(
            form.name,
            _precision(program.signature.outputs),
            form.path,
            digest(folder / form.path),
            size(folder / form.path),
            details[form.name],
        )
        for form in request.formats
    )
    versions = provenance()
    for entry in details.values():
        if "opset" in entry:
            versions["opset"] = entry["opset"]["ai.onnx"]
    manifest.write(
        folder,
        Manifest(
            name=request.source.name,
            signature=program.signature,
            artifacts=artifacts,
            goldens_path=goldens.FILE_NAME,
            goldens_sha256=digest(folder / goldens.FILE_NAME),
            cases=tuple(golden.label for golden in truth.goldens),
            limits=tuple(truth.limits),
            domains={name: str(value) for name, value in domains.items()},
            provenance=versions,
        ),
    )
    return notes


def _check(request: Request, folder: Path, tensorflow_worker: Worker, observe: Observer, notes: list[str]) -> Report:
    """Check the bundle the way a device would, in every runtime of its formats."""
    written = {form.name for form in request.formats}
    runtimes = [runtime for runtime in _runtime.every() if runtime.reads in written]
    report = verify(
        folder,
        [runtime.name for runtime in runtimes],
        imports=request.imports,
        allow_lambda=request.allow_lambda,
        observe=observe,
        workers={group_of(_runtime.get("keras")): tensorflow_worker},
        # The classes of a live model may exist in this process only.
        here=["keras"] if request.source.live else [],
    )
    return Report(report.bundle, report.checks, (*notes, *report.notes))


def _writing(writer: Callable[..., dict[str, Any]], program: Any, target: Path, name: str) -> dict[str, Any]:
    """Run a writer; what TensorFlow or a converter raises of its own becomes an error about the format."""
    try:
        return writer(program, target)
    except (OSError, ExportError):
        raise
    except Exception as error:
        for code in _NO_MORE_DATA:
            if os.strerror(code) in str(error):  # TensorFlow wraps what the system said into errors of its own
                raise OSError(code, os.strerror(code)) from error
        raise ExportError(f"the model cannot be written as {name}", got=reason(error)) from error


def _result(worker: Worker, form: Format) -> dict[str, Any]:
    try:
        (details,) = worker.results()
    except WorkerCrashError as crash:
        raise ExportError(f"the {form.name} converter did not survive the model", got=crash) from crash
    found: dict[str, Any] = details
    return found


def _tensorflow_workers(formats: Sequence[Format]) -> list[Worker]:
    """A process for each converter, at least one; TensorFlow is imported here when they come back."""
    count = max(1, sum(form.converter is not None for form in formats))
    if "tensorflow" in sys.modules or sys.platform != "linux":
        workers = [Worker(["tensorflow", "keras"]) for _ in range(count)]
        _import_tensorflow()
        return workers
    _import_tensorflow()
    return [Worker(fork=True) for _ in range(count)]


def _import_tensorflow() -> None:
    """Import TensorFlow and Keras without the garbage collections that cost a fifth of the time."""
    if "keras" in sys.modules:
        return
    for name, value in QUIET_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    collecting = gc.isenabled()
    gc.disable()
    try:
        import keras  # noqa: F401
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def _require_packages(formats: Sequence[Format]) -> None:
    needed = {"tensorflow", "keras", *(module for form in formats for module in form.modules)}
    read = {form.name for form in formats}
    needed |= {runtime.module for runtime in _runtime.every() if runtime.reads in read}
    missing = sorted(module for module in needed if importlib.util.find_spec(module) is None)
    if missing:
        raise MissingExtraError(
            "building needs packages that are not installed",
            got=", ".join(missing) + (" is missing" if len(missing) == 1 else " are missing"),
            hint="pip install 'kexport[build]'",
        )


def _target(out: str | Path | None, source: Source) -> Path:
    return Path(out) if out is not None else Path("artifacts") / source.name


def _declared(domain: Mapping[str, Any] | None, source: Source) -> dict[str, Any]:
    declared = {**source.domains, **(domain or {})}
    for value in declared.values():
        if isinstance(value, str):
            domain_module.parse(value)  # a misspelt one is refused before TensorFlow is imported
    return declared


def _precision(outputs: Sequence[Any]) -> str:
    dtypes = {spec.dtype for spec in outputs if spec.is_float}
    return "float32" if not dtypes else sorted(dtypes)[0]
