"""The build: source, trace, formats, truth, and the check of the finished bundle, in that order.

Each converter, which can crash or take for ever, has a process of its own; one of them reloads afterwards what
TensorFlow can read. The other runtimes check the bundle in processes that never import TensorFlow.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kexport.bundle import domain as domain_module
from kexport.bundle import goldens, manifest, store
from kexport.bundle.digests import digest, size
from kexport.bundle.folder import REPORT_NAME, Bundle
from kexport.bundle.manifest import Artifact, Manifest
from kexport.bundle.report import Check, CheckKind, Observer, Report, Subject
from kexport.bundle.samples import write as write_samples
from kexport.bundle.signature import Signature
from kexport.errors import MissingExtraError, UsageError
from kexport.factory import sources
from kexport.factory.formats import _format
from kexport.factory.formats._format import Format
from kexport.factory.formats.onnx import OPSETS
from kexport.factory.inputs.recording import Recording
from kexport.factory.promises.collect import collect, stated
from kexport.factory.sources import Source
from kexport.factory.tensorflow_workers import tensorflow_workers
from kexport.factory.truth.carried_witnesses import carried_over, carry_breaches
from kexport.field.search.verdicts import Truth
from kexport.field.trust import Trust
from kexport.field.verification.bundle_checks import verify
from kexport.parity.budget import Budget
from kexport.parity.strictness import Strictness
from kexport.parity.tolerance import Tolerance
from kexport.process import DEFAULT_TIMEOUT, Worker
from kexport.runtimes import every as every_runtime
from kexport.runtimes import get as get_runtime
from kexport.runtimes import group_of

DEFAULT_FORMATS = ("keras", "saved_model", "onnx", "tflite")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What is to be built."""

    source: Source
    out: Path
    formats: tuple[Format, ...]
    domain: Mapping[str, Any]
    recording: Recording
    trust: Trust
    opset: int | None
    timeout: float
    keep_going: bool
    strictness: Strictness
    contracts: Any


def build(
    model: Any,
    out: str | Path | None = None,
    *,
    formats: Sequence[str] | None = None,
    domain: Mapping[str, Any] | None = None,
    samples: Any = None,
    settings: Mapping[str, str] | None = None,
    imports: Sequence[str] = (),
    allow_lambda: bool = False,
    opset: int | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    keep_going: bool = False,
    search: Budget | str | None = None,
    tolerance: Mapping[str, Tolerance | str | float] | None = None,
    contracts: Any = (),
    progress: Progress = lambda step: None,
    observe: Observer = lambda check: None,
) -> Bundle:
    """Build a bundle from a Keras model and check it in every runtime that its formats have.

    Args:
        model: a live `keras.Model`; or text: the name of a registered model, `file.py:callable`,
            `package.module:callable`, the path of a `.keras` file or of a SavedModel folder. The code of a
            callable runs.
        out: the bundle's folder; by default `artifacts/NAME`.
        formats: which to write; by default all that the model can be written as.
        domain: of some or all inputs: a text such as `"uniform(-5, 5)"`, a `(low, high)` pair, or an array of
            recorded samples whose first axis counts the samples.
        samples: recorded data as the domain of the inputs that it holds: the path of a `.npz`, `.npy` or `.csv`, arrays
            by input name, or the array of the only input. It checks, and a part of it is set aside for calibration.
        settings: keyword arguments of a registered model or a callable, as text.
        imports: files or modules that register the layers of a `.keras` file.
        allow_lambda: load Lambda layers from a `.keras` file, which runs the bytecode in it.
        opset: of the ONNX artifact; by default the highest that its converter writes.
        timeout: seconds that the conversion to one format may take.
        keep_going: build the other formats when one is refused; the refusal is then a failed check.
        search: how long to search for the inputs on which each artifact is furthest from the truth: `"30s"`, or
            `"5000"` evaluations. The worst one is kept in the bundle.
        tolerance: limits of some outputs in place of the derived ones, such as `{"y": "1e-4: 12-bit sensor"}` or
            `"40dB"`; the reason goes into the report.
        contracts: what the model promises besides what its layers state: contracts of `kexport.contracts`, or texts
            such as `"bounded(0, 1)"`, in a list; or by what they are about, `{"y": ..., "x->y": ..., "layer": ...}`.
        progress: called with the name of each step as it begins.
        observe: called with each check as soon as it is made.

    Returns:
        The bundle. When a check failed, `.passed` is False and it lies at `OUT.rejected`; nothing is raised.

    Raises:
        KexportError: the request is wrong, or the model cannot be loaded or exported.
    """
    with contextlib.ExitStack() as stack:
        trust = Trust.of(imports, allow_lambda)
        stack.enter_context(trust.lambdas())
        trust.require_imports()
        source = sources.find(model, settings or {})
        wanted = formats if formats is not None else source.formats or DEFAULT_FORMATS
        chosen = tuple(_format.get(name) for name in dict.fromkeys(wanted))
        request = Request(
            source,
            _target(out, source),
            chosen,
            _declared(domain, source),
            Recording.of(samples, declared=domain or ()),
            trust,
            _checked_opset(opset),
            timeout,
            keep_going,
            Strictness.of(search, tolerance),
            contracts,
        )
        if not imports:
            stated(contracts)  # a misspelt one is refused before TensorFlow is imported
        _require_packages(chosen)
        return _build(request, progress, observe)


def _build(request: Request, progress: Progress, observe: Observer) -> Bundle:
    target = request.out
    with store.staging(target) as folder, contextlib.ExitStack() as stack:
        progress("importing TensorFlow")
        count = max(1, sum(form.converter is not None for form in request.formats))
        workers = [stack.enter_context(contextlib.closing(worker)) for worker in tensorflow_workers(count)]
        progress("loading the model")
        request.trust.run_imports()
        loaded = request.source.load()
        try:
            notes, truth, weighed = _write(request, loaded, folder, workers, progress)
            for worker in workers[1:]:
                worker.close()
            progress(
                "checking every artifact in its runtimes" + " and searching" * (request.strictness.search is not None)
            )
            report = _check(request, folder, workers[0], observe, notes, truth, weighed)
            manifest.write_json(folder / REPORT_NAME, report.to_json())
        except OSError as error:
            raise store.unwritable(target, error) from error
        final = target if report.passed else store.rejected(target)
        store.place(folder, final)
        if report.passed:
            store.remove(store.rejected(target))
        return Bundle.open(final)


def _write(
    request: Request, model: Any, folder: Path, workers: Sequence[Worker], progress: Progress
) -> tuple[list[str], Truth, tuple[Check, ...]]:
    """Write artifacts, goldens and manifest into the folder.

    Returns:
        Notes for the report, what is true, and the checks of promises about weights.
    """
    # These import TensorFlow, which must first be imported quietly.
    from kexport.factory.exports import Exports
    from kexport.factory.inputs.domains import recordings, settle
    from kexport.factory.provenance import provenance
    from kexport.factory.trace.program import trace
    from kexport.factory.truth.goldens import establish
    from kexport.factory.truth.oracle import Oracle
    from kexport.factory.truth.reference import Model

    progress("tracing")
    program = trace(model, recordings({**request.domain, **request.recording.examples(model)}))
    named = request.recording.named(program.signature)
    domains, notes, undeclared = settle(program, {**request.domain, **named})
    promises = collect(program, stated(request.contracts))
    exports = Exports(
        program,
        request.formats,
        folder,
        options={"opset": request.opset},
        timeout=request.timeout,
        keep_going=request.keep_going,
    )
    exports.start(workers)
    exports.write(progress)
    progress("computing the truth in float64")
    oracle = Oracle(program, domains)
    truth = establish(program, oracle, domains)
    limits = request.strictness.limits(truth.limits)
    goldens.write(folder / goldens.FILE_NAME, truth.goldens)
    exports.finish(progress)
    artifacts = tuple(
        _artifact(form, program.signature, folder, exports.details[form.name])
        for form in request.formats
        if form.name in exports.details
    )
    versions = provenance()
    for entry in exports.details.values():
        if "opset" in entry:
            versions["opset"] = entry["opset"]["ai.onnx"]
    stored = write_samples(folder, program.signature, domains)
    manifest.write(
        folder,
        Manifest(
            name=request.source.name,
            signature=program.signature,
            artifacts=artifacts,
            goldens_path=goldens.FILE_NAME,
            goldens_sha256=digest(folder / goldens.FILE_NAME),
            cases=tuple(golden.label for golden in truth.goldens),
            limits=limits,
            domains={name: str(value) for name, value in domains.items()},
            provenance=versions,
            refused={name: str(error) for name, error in exports.refusals.items()},
            ulp=truth.ulp,
            stateful=bool(program.state),
            samples=stored,
            undeclared=undeclared,
            contracts=promises.contracts,
            not_carried=promises.not_carried,
        ),
    )
    reference = Model(program, oracle, truth.limits, program.signature)
    carried_over(request.out, folder, program.signature, reference, limits)
    carry_breaches(request.out, folder, program.signature, promises.contracts)
    return notes, reference, promises.checks


def _artifact(form: Format, signature: Signature, folder: Path, details: Mapping[str, Any]) -> Artifact:
    """The entry of a written artifact; its bytes are those of the files beside it too."""
    beside = [
        {"path": name, "sha256": digest(folder / name), "bytes": size(folder / name)}
        for name in details.get("external", ())
    ]
    return Artifact(
        form.name,
        _precision(signature.outputs),
        form.path,
        digest(folder / form.path),
        size(folder / form.path) + sum(file["bytes"] for file in beside),
        {**details, **({"external": beside} if beside else {})},
    )


def _check(
    request: Request,
    folder: Path,
    tensorflow_worker: Worker,
    observe: Observer,
    notes: list[str],
    truth: Truth,
    weighed: Sequence[Check],
) -> Report:
    """Check the bundle the way a device would, in every runtime of its formats."""
    bundle = Bundle.open(folder)
    written = {artifact.format for artifact in bundle.manifest.artifacts}
    runtimes = [runtime for runtime in every_runtime() if runtime.reads in written]
    report = verify(
        folder,
        [runtime.name for runtime in runtimes],
        imports=request.trust.imports,
        allow_lambda=request.trust.allow_lambda,
        search=request.strictness.search,
        observe=observe,
        truth=truth,
        workers={group_of(get_runtime("keras")): tensorflow_worker},
        # The classes of a live model may exist in this process only.
        here=["keras"] if request.source.live else [],
    )
    refused = [
        Check.failure(CheckKind.EXPORT, Subject(_format.get(name).path), why)
        for name, why in bundle.manifest.refused.items()
    ]
    return Report(report.bundle, (*refused, *weighed, *report.checks), (*notes, *report.notes))


def _require_packages(formats: Sequence[Format]) -> None:
    needed = {"tensorflow", "keras", *(module for form in formats for module in form.modules)}
    read = {form.name for form in formats}
    needed |= {runtime.module for runtime in every_runtime() if runtime.reads in read}
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


def _checked_opset(opset: int | None) -> int | None:
    """The opset itself, when the converter writes it.

    Raises:
        UsageError: it does not.
    """
    if opset is not None and opset not in OPSETS:
        raise UsageError(
            "the ONNX converter does not write this opset", got=opset, expected=f"{OPSETS[0]} to {OPSETS[-1]}"
        )
    return opset


def _precision(outputs: Sequence[Any]) -> str:
    dtypes = {spec.dtype for spec in outputs if spec.is_float}
    return "float32" if not dtypes else sorted(dtypes)[0]
