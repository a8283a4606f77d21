"""The build: source, trace, formats, truth, and the check of the finished bundle, in that order.

Each converter, which can crash or hang, runs in its own process; one of these reloads afterwards what TensorFlow
can read. The other runtimes check the bundle in processes that never import TensorFlow.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from kexport.bundle import store
from kexport.bundle.budgets import Budgets
from kexport.bundle.folder import REPORT_NAME, Bundle
from kexport.bundle.json_files import write_json
from kexport.bundle.precision import Precisions
from kexport.bundle.report import Observer, Report
from kexport.errors import ModelError, located
from kexport.factory.build_checks import beside_tensorflow, check_build
from kexport.factory.bundle_writer import Conversions, write_bundle
from kexport.factory.earlier_conversions import EarlierConversions
from kexport.factory.fingerprint import fingerprint, with_bundle
from kexport.factory.precisions import (
    SmallArtifacts,
    keep_smallest,
    record_budgets,
    record_kernels,
    with_mixed,
)
from kexport.factory.request import BuildPlan, BuildRequest, Conversion, Declarations, reasons
from kexport.factory.sources import fresh_names
from kexport.factory.tensorflow_workers import tensorflow_workers
from kexport.field.evaluation import MetricRequest
from kexport.field.trust import Trust
from kexport.parity.budget import Budget
from kexport.parity.strictness import Strictness
from kexport.parity.tolerance import Tolerance
from kexport.process import DEFAULT_TIMEOUT
from kexport.python_call import public
from kexport.runtimes import TENSORFLOW
from kexport.runtimes.keras_model import calls_seen

Progress = Callable[[str], None]
_BESIDE = 2  # converters to small precisions at once
#: Builds in several threads take turns: Keras' settings, such as the default dtype, are those of the whole process.
_turn = threading.RLock()


@public("progress")
def build(
    model: object,
    out: str | Path | None = None,
    *,
    formats: Sequence[str] | None = None,
    domain: Mapping[str, object] | None = None,
    samples: object = None,
    settings: Mapping[str, str] | None = None,
    imports: Sequence[str] = (),
    allow_lambda: bool = False,
    trust: bool = False,
    max_seconds: float | None = None,
    max_bytes: int = 0,
    opset: int | None = None,
    precision: Sequence[str] | str | None = None,
    budget: Sequence[str] | str | None = None,
    keep: Sequence[str] | str | None = None,
    io: str | None = None,
    calibration: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    keep_going: bool = False,
    search: Budget | str | None = None,
    tolerance: Mapping[str, Tolerance | str | float] | None = None,
    contracts: object = (),
    unseen: Mapping[str, str] | Sequence[str] = (),
    signature: str | None = None,
    labels: object = None,
    metric: str | Callable[..., object] | None = None,
    progress: Progress = lambda step: None,
    observe: Observer = lambda check: None,
) -> Bundle:
    """Build a bundle from a Keras model and check it in every runtime that its formats have.

    Args:
        model: a live `keras.Model`; or text: the name of a registered model, `file.py:callable` or
            `package.module:callable` (its code runs), the path of a `.keras` or `.h5` file or of a SavedModel folder.
        out: the bundle's folder; by default `artifacts/NAME`.
        formats: which to write; by default all that the model can be written as.
        domain: of some or all inputs: a text such as `"uniform(-5, 5)"`, a `(low, high)` pair, or recorded samples.
        samples: recorded data as the domain of the inputs that it holds: the path of a `.npz`, `.npy` or `.csv`, arrays
            by input name, or the array of the only input. A part of it is set aside for calibration, the rest checks.
        settings: keyword arguments of a registered model or a callable, as text.
        imports: files or modules that register the layers of a `.keras` file.
        allow_lambda: load Lambda layers from a `.keras` file, which runs the bytecode in it.
        trust: let a SavedModel run any operation, such as one that writes files; and run without limits.
        max_seconds: seconds of each processor core for one call, where that is more than follows from the model's size.
        max_bytes: allow files, and arrays and weights in them, that are larger than usual, up to this size.
        opset: the opset of the ONNX artifact; by default the highest that its converter writes.
        precision: small precisions to write beside float32: `"float16"`, `"dynamic"` (weights of 8 bits), `"int16x8"`
            (and activations of 16) or `"int8"`, in the formats that have them; or `"auto"`, which writes all of them,
            and where int8 does not pass mixed ones, and keeps of each format the smallest that meets the budgets and
            the promises.
        budget: what these must keep, one or several, against float32: the least ratio of signal to noise,
            `"sqnr=35dB"` (by default that of all but five of their bits); `"accuracy=-0.5%"`, how many points `metric`
            may be worse (in its own unit `"mae=+0.02"`); `"size=0.3x"` or `"size=64KB"`; and `"latency=0.5x"` or
            `"latency=2ms"`, the median of paired calls.
        keep: names of layers that stay in float in artifacts of int8.
        io: `"int"` for artifacts of integers (int16x8, int8) that take and return the integers themselves, as
            microcontrollers do; by default, `"float"`, they convert. `kexport.load` serves both in float.
        calibration: `"domain"` to measure the ranges of integers on all between the least and largest recorded values;
            by default, `"samples"`, on recorded samples alone, outside of which integers may saturate.
        timeout: time limit for the conversion to one format, in seconds.
        keep_going: build the other formats when one is refused; the refusal is then a failed check.
        search: how long to search for the inputs on which each artifact is furthest from the truth, which the bundle
            keeps: `"30s"`, or `"5000"` evaluations.
        tolerance: limits of outputs in place of the derived ones, such as `{"y": "1e-4: 12-bit sensor"}` or `"40dB"`.
        contracts: promises of the model besides those of its layers: contracts of `kexport.contracts`, or texts
            such as `"bounded(0, 1)"`, in a list; or by what they are about, `{"y": ..., "x->y": ..., "layer": ...}`.
        unseen: layers, weights or outputs that no golden need see, each with the reason: `{"layer": "reason"}`, or
            texts such as `"layer: reason"`. The reasons go into the report.
        signature: which function of a SavedModel is the model; by default its only one, or `serving_default`.
        labels: of the samples: an array, or a path: `.npy`, `.csv`, `FILE.csv:TITLE`, `.npz` or `FILE.npz:NAME`.
        metric: of the labelled samples, computed for the model itself and for every artifact in its runtimes:
            `"accuracy"`, `"top5"`, `"f1"`, `"mae"`, `"rmse"`, `"FILE.py:callable"`, or a function that gets
            `(labels, outputs)` and returns a number, the larger the better unless it has `lower_is_better = True`;
            `"OUTPUT=accuracy"` for one of several outputs.
        progress: called with the name of each step as it begins.
        observe: called with each check as soon as it is made.

    Returns:
        The bundle. When a check failed, `.passed` is False and it lies at `OUT.rejected`; nothing is raised.

    Raises:
        KexportError: the request is wrong, or the model cannot be loaded or exported.
    """
    request = BuildRequest(
        model,
        out,
        settings or {},
        Declarations(
            domain or {},
            samples,
            contracts,
            reasons(unseen),
            (signature,) if signature else (),
            MetricRequest.of(metric, labels),
        ),
        Conversion(formats, opset, timeout, keep_going, Precisions.of(precision, budget, io, calibration, keep)),
        Trust(tuple(imports), allow_lambda, unrestricted=trust, seconds=max_seconds, max_bytes=max_bytes),
        Strictness.of(search, tolerance),
    )
    return build_bundle(request, progress, observe)


def build_bundle(
    request: BuildRequest,
    progress: Progress = lambda step: None,
    observe: Observer = lambda check: None,
    *,
    fresh: bool = False,
) -> Bundle:
    """Build what a request describes; see `build` for what it returns and raises.

    Args:
        request: what to build.
        progress: as `build`.
        observe: as `build`.
        fresh: convert anew what an earlier build of the target converted from the same.
    """
    try:
        with _turn, request.trust.lambdas():
            plan = request.plan()
            earlier = (
                EarlierConversions()
                if fresh
                else EarlierConversions.of_target(plan.target, plan.request.trust.max_bytes)
            )
            with store.staging(plan.target) as folder:
                report = make(plan, folder, progress, observe, earlier)
                final = plan.target if report.passed else store.rejected(plan.target)
                store.place(folder, final)
                if report.passed:
                    store.remove(store.rejected(plan.target))
                return Bundle.open(final)
    except SystemExit as end:  # the caller's process would end as if it had succeeded
        raise ModelError("the code of the model ends the process", got=located(end), hint="remove that call") from end


def make(
    plan: BuildPlan,
    folder: Path,
    progress: Progress,
    observe: Observer = lambda check: None,
    earlier: EarlierConversions | None = None,
) -> Report:
    """Write a bundle into an empty folder, and check it; what an earlier bundle at the target found is carried over.

    Args:
        plan: of the build.
        folder: an empty one.
        progress: as `build`.
        observe: as `build`.
        earlier: conversions that need not be made again.
    """
    with contextlib.ExitStack() as stack:
        request = fingerprint(plan)  # before the model is loaded, which its file may not outlast
        progress("importing TensorFlow")
        started = stack.enter_context(beside_tensorflow(plan))
        count = max(1, sum(form.converter is not None for form in plan.formats))
        spare = min(len(plan.small), _BESIDE, os.cpu_count() or 1)
        processes = tensorflow_workers(count, spare)
        for worker in processes:
            stack.enter_context(contextlib.closing(worker))
        workers = processes[:count]
        progress("loading the model")
        if isinstance(plan.request.model, str | Path):  # the layers of a model that exists have their names
            stack.enter_context(fresh_names())
        plan.request.trust.run_imports()
        if plan.source.rehearse is not None:
            plan.source.rehearse(plan.request.trust)
        with calls_seen():
            model = plan.source.load()
        plan = plan.of(model)
        try:
            earlier = earlier or EarlierConversions()
            conversions = Conversions(workers, processes[count:], earlier)
            written = write_bundle(plan, model, folder, conversions, progress)
            for worker in workers[1:]:
                worker.close()
            stack.enter_context(contextlib.closing(written.small))
            progress("checking every artifact in its runtimes")
            started[TENSORFLOW] = workers[0]
            report = check_build(plan, folder, started, observe, written)
            check_again = partial(check_build, plan, folder, started, lambda check: None, written)
            precisions = plan.request.conversion.precisions
            if precisions.choose:
                progress("choosing among the small precisions")
                report = _chosen(folder, report, written.small, precisions.budgets, check_again)
            record_budgets(folder, report, precisions.budgets)
            if earlier.taken and not report.passed:
                kept = f"an earlier build converted {', '.join(earlier.taken)} from the same: --fresh converts anew"
                report = replace(report, notes=(*report.notes, kept))
            report = replace(report, request=with_bundle(request, folder))
            write_json(folder / REPORT_NAME, report.to_json())
        except OSError as error:
            raise store.unwritable(plan.target, error) from error
        return report


def _chosen(
    folder: Path, report: Report, small: SmallArtifacts, budgets: Budgets, check_again: Callable[[], Report]
) -> Report:
    """Of each format, keep the smallest artifact that passed; returns the report on what is left."""
    report = with_mixed(folder, report, small, budgets, check_again)
    report = keep_smallest(folder, report, small.refusals, budgets)
    record_kernels(folder)  # of a mixed one, and no more of what was left out
    return report
