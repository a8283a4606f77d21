"""`kexport verify`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from kexport.cli._delivery import Delivery, delivering
from kexport.cli._options import JSON, LABELS, METRIC, RUNTIMES, checking, gathered, trusting
from kexport.cli._plots import plotting
from kexport.cli._streams import styled
from kexport.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kexport.bundle.folder import Bundle
    from kexport.bundle.report import Report
    from kexport.field.evaluation import MetricRequest
    from kexport.field.search import Reference
    from kexport.field.trust import Trust
    from kexport.parity.strictness import Strictness


def _metric(metric: str | None, labels: str | None) -> MetricRequest | None:
    from kexport.field.evaluation import MetricRequest

    return MetricRequest.of(metric, labels)


@click.command("verify")
@click.argument("path", metavar="BUNDLE")
@RUNTIMES
@trusting
@click.option("--require", metavar="A,B", help="Run these runtimes too; each must compare at least one output.")
@click.option("--signed-by", metavar="FILE", help="Before all else, require a signature with this public key in PEM.")
@click.option("--truth", is_flag=True, help="Search against the model in the .keras artifact; needs TensorFlow.")
@gathered("metric", _metric, {"labels": LABELS, "metric": METRIC})
@JSON
@checking
@delivering
@plotting
def command(
    path: str,
    runtimes: tuple[str, ...],
    trust: Trust,
    require: str | None,
    signed_by: str | None,
    truth: bool,
    metric: MetricRequest | None,
    as_json: bool,
    strictness: Strictness,
    deliver: Delivery,
    plot: Callable[[Report, str | Path], None],
) -> int:
    """Check a bundle on this machine: digests, signature, witnesses and goldens in every runtime.

    Without --runtime it takes every runtime that is installed and can read an artifact of the bundle. A search
    compares each of them with every other that is installed, and keeps what it finds in the bundle. A metric is
    computed on the recorded samples that the bundle keeps.
    """
    from kexport import runtimes as known_runtimes
    from kexport.bundle.folder import Bundle
    from kexport.cli._boundary import quiet_libraries
    from kexport.field.authenticity import require_signed
    from kexport.field.verification import Verification, required_runtimes, verify_bundle

    if truth and strictness.search is None:
        raise UsageError("--truth needs --search: it sets what the search compares with", hint="--search 30s --truth")
    required = () if require is None else required_runtimes.names_of(require)
    names = required_runtimes.including(runtimes, required)
    requested = None if names is None else tuple(map(known_runtimes.get, names))
    signed = None if signed_by is None else require_signed(path, signed_by, trust.max_bytes)
    bundle = Bundle.open(path, trust.max_bytes)
    evaluation = None if metric is None else metric.of_bundle(bundle)
    with quiet_libraries():
        reference = _model_in(bundle, trust) if truth else None
        report = verify_bundle(Verification(bundle, requested, trust, strictness, reference, evaluation=evaluation))
    report = required_runtimes.require(report if signed is None else signed.recorded(report), bundle, required)
    _show(report, bundle, as_json)
    deliver(report, path)
    plot(report, path)
    return report.exit_code


def _model_in(bundle: Bundle, trust: Trust) -> Reference:
    """The model in the bundle's `.keras` artifact, loaded in this process."""
    from kexport.cli._boundary import heed_in_native_code
    from kexport.factory.truth import of_bundle

    heed_in_native_code()
    return of_bundle(bundle, trust)


def _show(report: Report, bundle: Bundle, as_json: bool) -> None:
    if as_json:
        from kexport.reports import json

        click.echo(json.render(report))
    else:
        from kexport.reports import summary, terminal

        terminal.show(report, bundle, styled(sys.stdout))
        click.echo(summary(report))


COMMAND = command
