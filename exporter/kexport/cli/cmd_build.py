"""`kexport build`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kexport.cli import _completion
from kexport.cli._command import ToolCommand
from kexport.cli._delivery import Delivery, delivering
from kexport.cli._options import (
    DOMAIN,
    JSON,
    LABELS,
    METRIC,
    PRECISION,
    SAMPLES,
    SIGNATURES,
    Command,
    Seconds,
    checking,
    gathered,
    listed,
    trusting,
)
from kexport.cli._pairs import pairs
from kexport.cli._plots import plotting
from kexport.cli._screen import echo
from kexport.cli._streams import styled
from kexport.errors import UsageError

if TYPE_CHECKING:
    from kexport.bundle.folder import Bundle
    from kexport.bundle.precision import Precisions
    from kexport.bundle.report import Report
    from kexport.factory import BuildRequest, Conversion, Declarations
    from kexport.field.trust import Trust
    from kexport.parity.strictness import Strictness

_MODEL = (
    "A registered model, file.py:callable or package.module:callable (its code runs), a .keras or .h5 file, or a "
    "SavedModel folder."
)
_MODELS = _completion.file_or(_completion.models)
_CONTRACT = (
    "A promise of the model besides those of its layers, such as 'y=bounded(0, 1)' or 'x->y=monotonic(1)'; may be "
    "repeated."
)


#: TensorFlow divides sums among its threads: with one a core, the last bits would depend on the number of cores.
_THREADS = ("TF_NUM_INTRAOP_THREADS", "2")
_READING = "reading the request"
_UNSEEN = (
    "A layer, weight or output that no golden need see, with the reason, which the report states; may be repeated."
)


_KEEP = "A layer that int8 artifacts keep in float; may be repeated."
_BUDGET = (
    "What small precisions must keep, against float32: sqnr=35dB; accuracy=-0.5%, the points that --metric may lose "
    "(or mae=+0.02, in its unit); size=0.3x or 64KB; latency=0.5x or 2ms. May be repeated."
)


def _declarations(
    domain: dict[str, str],
    samples: str | None,
    contracts: tuple[str, ...],
    unseen: tuple[str, ...],
    signatures: tuple[str, ...],
    metric: str | None,
    labels: str | None,
) -> Declarations:
    from kexport.factory import Declarations
    from kexport.factory.request import reasons
    from kexport.field.evaluation import MetricRequest

    return Declarations(domain, samples, contracts, reasons(unseen), signatures, MetricRequest.of(metric, labels))


def _conversion(
    formats: str | None,
    opset: int | None,
    timeout: float | None,
    keep_going: bool,
) -> Conversion:
    from kexport.factory import Conversion
    from kexport.process import DEFAULT_TIMEOUT

    names = None if formats is None else listed("--formats", formats)
    return Conversion(names, opset, timeout or DEFAULT_TIMEOUT, keep_going)


def _precisions(
    precision: str | None, budget: tuple[str, ...], keep: tuple[str, ...], io: str | None, calibration: str | None
) -> Precisions:
    from kexport.bundle.precision import Precisions

    names = None if precision is None else listed("--precision", precision)
    return Precisions.of(names, budget, io, calibration, keep)


def _declaring(function: Command) -> Command:
    """Give the command what a user states about the model: `--domain`, `--samples`, ...; it gets `declarations`."""
    contract = click.option("--contract", "contracts", multiple=True, metavar="[OUTPUT=]CONTRACT", help=_CONTRACT)
    unseen = click.option("--unseen", multiple=True, metavar="'LAYER: REASON'", help=_UNSEEN)
    options = {
        "domain": DOMAIN,
        "samples": SAMPLES,
        "labels": LABELS,
        "metric": METRIC,
        "contracts": contract,
        "unseen": unseen,
        "signatures": SIGNATURES,
    }
    return gathered("declarations", _declarations, options)(function)


def _converting(function: Command) -> Command:
    """Give the command the options about formats; it gets `conversion`."""
    options = {
        "formats": click.option(
            "--formats",
            metavar="A,B",
            shell_complete=_completion.several_of(_completion.formats),
            help="Formats to write; by default all that suit the model.",
        ),
        "opset": click.option(
            "--opset", type=int, metavar="N", help="Opset of the ONNX artifact; by default the highest."
        ),
        "timeout": click.option(
            "--timeout", type=Seconds(1), metavar="SECONDS", help="Time limit for each conversion, in seconds."
        ),
        "keep_going": click.option(
            "--keep-going", is_flag=True, help="Build the other formats when one is refused; still exits with 1."
        ),
    }
    return gathered("conversion", _conversion, options)(function)


def _quantizing(function: Command) -> Command:
    """Give the command the options about small precisions; it gets `precisions`."""
    options = {
        "precision": PRECISION,
        "budget": click.option("--budget", multiple=True, metavar="KIND=AMOUNT", help=_BUDGET),
        "keep": click.option("--keep", multiple=True, metavar="LAYER", help=_KEEP),
        "io": click.option(
            "--io", metavar="float|int", help="Whether artifacts of integers (int8, int16x8) take floats or integers."
        ),
        "calibration": click.option(
            "--calibration",
            metavar="samples|domain",
            help="What the ranges of integers are measured on: recorded samples, or all between their ends too.",
        ),
    }
    return gathered("precisions", _precisions, options)(function)


@click.command(
    "build",
    cls=ToolCommand,
    begins=lambda given: _READING,
    examples=(
        "kexport build lowpass",
        "kexport build my.keras --formats onnx,tflite --out artifacts/mine",
        "kexport build net.py:make --samples recorded.npz --search 30s",
        "kexport build my.keras --precision int8 --samples recorded.npz --budget sqnr=35dB",
    ),
)
@click.argument("positional", required=False, metavar="[MODEL]", shell_complete=_MODELS)
@click.option("--model", "named", metavar="MODEL", shell_complete=_MODELS, help=_MODEL)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    callback=pairs("KEY=VALUE"),
    help="A parameter of the model; may be repeated.",
)
@click.option("--out", metavar="DIR", help="Where to write the bundle; by default artifacts/NAME.")
@click.option("--check", is_flag=True, help="Build again, and only say in which bytes the bundle in DIR differs.")
@click.option("--fresh", is_flag=True, help="Build anew even where nothing has changed since the bundle was built.")
@_converting
@_quantizing
@_declaring
@trusting
@checking
@JSON
@delivering
@plotting
def command(
    positional: str | None,
    named: str | None,
    out: str | None,
    check: bool,
    fresh: bool,
    settings: dict[str, str],
    declarations: Declarations,
    conversion: Conversion,
    precisions: Precisions,
    trust: Trust,
    strictness: Strictness,
    as_json: bool,
    deliver: Delivery,
    plot: Callable[[Report, str | Path], None],
) -> int:
    """Build a model into a bundle, and check every artifact in its runtimes.

    MODEL is what --model takes. A bundle whose checks fail is written to OUT.rejected. The code named by
    --import, and that of a registered model, is run.
    """
    from kexport.bundle.report import Report
    from kexport.cli._progress import working
    from kexport.factory import BuildRequest, each_signature, unchanged
    from kexport.reports import json, terminal

    os.environ.setdefault(*_THREADS)
    conversion = replace(conversion, precisions=precisions)
    request = BuildRequest(_one_model(positional, named), out, settings, declarations, conversion, trust, strictness)
    with working(_READING, stays=False):
        requests = each_signature(request)
    stream, reports, folder = sys.stderr if as_json else sys.stdout, {}, Path()
    for signature, each in requests.items():
        began = time.monotonic()
        existing = None if check or fresh else unchanged(each)
        if existing is None:
            bundle, report = _checked(each, signature if len(requests) > 1 else "", check, fresh)
        else:
            bundle, report = existing, existing.report
        terminal.show(report, bundle, styled(stream))
        summary = _comparison if check else _summary if existing is None else _kept
        echo(summary(bundle, report, time.monotonic() - began), stream=stream)
        plot(report, bundle.path)
        reports[bundle.path.name], folder = report, bundle.path
    if len(reports) > 1:
        report, folder = Report.of_several(folder.parent.name, reports), folder.parent
    if as_json:
        click.echo(json.render(report))
    deliver(report, folder)
    return report.exit_code


def _one_model(positional: str | None, named: str | None) -> str:
    """The model, given with `--model` or without."""
    given = [each for each in (positional, named) if each is not None]
    if len(given) != 1:
        raise UsageError(
            "which model to build was said twice" if given else "no model to build was named",
            got=" and ".join(given) or None,
            expected=_MODEL[0].lower() + _MODEL[1:].rstrip("."),
            hint="kexport build lowpass; kexport list tells the registered models",
        )
    return given[0]


def _checked(request: BuildRequest, signature: str, check: bool, fresh: bool) -> tuple[Bundle, Report]:
    """Build a bundle, or what `--check` compares with it; `signature` is shown where there are several."""
    from kexport.cli._progress import working
    from kexport.factory import build_bundle, check_rebuild
    from kexport.remaining_time import build_plan

    plan = build_plan(request.conversion.precisions.names)
    with working(f"signature {signature}" if signature else _READING, plan) as progress:
        if check:
            return check_rebuild(request, progress)
        bundle = build_bundle(request, progress, fresh=fresh)
        return bundle, bundle.report


def _summary(bundle: Bundle, report: Report, seconds: float) -> str:
    from kexport.reports import summary

    if not report.passed:
        return f"rejected: {summary(report)}; the bundle is at {bundle.path}"
    return f"built {bundle.path}: {len(report.checks)} checks passed, {seconds:.1f} s"


def _kept(bundle: Bundle, report: Report, seconds: float) -> str:
    checks = f"{len(report.checks)} checks passed when it was built"
    return f"{bundle.path} is as a build would write it, {checks}; --fresh builds it anew, {seconds:.1f} s"


def _comparison(bundle: Bundle, report: Report, seconds: float) -> str:
    """The result of `--check` in one line."""
    differing = sum(not check.passed for check in report.checks)
    if differing:
        return f"{bundle.path} differs from what is built now in {differing} of {len(report.checks)} files"
    return f"{bundle.path}: all {len(report.checks)} files have the bytes that are built now, {seconds:.1f} s"


COMMAND = command
