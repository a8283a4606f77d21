"""`kexport verify`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kexport.cli import _completion
from kexport.cli._command import ToolCommand
from kexport.cli._delivery import Delivery, delivering
from kexport.cli._options import JSON, LABELS, METRIC, RUNTIMES, checking, gathered, trusting
from kexport.cli._plots import plotting
from kexport.cli._screen import echo
from kexport.cli._streams import styled
from kexport.errors import FAILED, UNCHECKED, USAGE, KexportError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kexport.bundle.folder import Bundle
    from kexport.bundle.report import Report
    from kexport.field.evaluation import MetricRequest
    from kexport.field.search import Reference
    from kexport.field.trust import Trust
    from kexport.field.verification import Processes
    from kexport.parity.strictness import Strictness


_BUDGETS = click.option(
    "--budgets", is_flag=True, help="Check every budget of the build again, the times of calls too."
)


@dataclass(frozen=True)
class _Costs:
    """What is measured beside the outputs: a metric, and all that a small precision may cost."""

    metric: MetricRequest | None
    budgets: bool


def _costs(metric: str | None, labels: str | None, budgets: bool) -> _Costs:
    from kexport.field.evaluation import MetricRequest

    return _Costs(MetricRequest.of(metric, labels), budgets)


@click.command(
    "verify",
    cls=ToolCommand,
    begins=lambda given: f"checking {given['paths'][0]}",
    examples=(
        "kexport verify artifacts/lowpass",
        "kexport verify artifacts/lowpass --runtime litert --search 30s",
        "kexport verify artifacts/lowpass artifacts/scaled --junit report.xml",
    ),
)
@click.argument("paths", nargs=-1, required=True, metavar="BUNDLE...", shell_complete=_completion.path)
@RUNTIMES
@trusting
@click.option("--require", metavar="A,B", help="Run these runtimes too; each must compare at least one output.")
@click.option("--signed-by", metavar="FILE", help="Before all else, require a signature with this public key in PEM.")
@click.option("--truth", is_flag=True, help="Search against the model in the .keras artifact; needs TensorFlow.")
@gathered("costs", _costs, {"labels": LABELS, "metric": METRIC, "budgets": _BUDGETS})
@JSON
@checking
@delivering
@plotting
def command(
    paths: tuple[str, ...],
    runtimes: tuple[str, ...],
    trust: Trust,
    require: str | None,
    signed_by: str | None,
    truth: bool,
    costs: _Costs,
    as_json: bool,
    strictness: Strictness,
    deliver: Delivery,
    plot: Callable[[Report, str | Path], None],
) -> int:
    """Check bundles on this machine: digests, signature, witnesses and goldens in every runtime.

    Without --runtime it takes every runtime that is installed and can read an artifact of the bundle. A search
    compares each of them with every other that is installed, and keeps what it finds in the bundle. A metric is
    computed on the recorded samples that the bundle keeps. Of the budgets that it was built with, size and noise are
    always checked again, and a metric where it is given. A folder of bundles, as a build of several signatures writes
    it, stands for all that lie in it. Of several bundles the exit code is the worst.
    """
    if truth and strictness.search is None:
        raise UsageError("--truth needs --search: it sets what the search compares with", hint="--search 30s --truth")
    request = _Request(runtimes, trust, require, signed_by, truth, costs, strictness)
    paths = _bundles(paths)
    outcomes = _Outcomes(paths)
    processes = _shared_processes() if len(paths) > 1 else None
    for path in paths:
        try:
            bundle, report = _checked(path, request, processes)
        except KexportError as error:
            if len(paths) == 1:
                raise
            outcomes.errors[path] = error
            echo(f"error: {error}", err=True)
            continue
        if not as_json:
            _show(report, bundle)
        outcomes.reports[path] = report
        plot(report, path)
        if _interrupted():
            break
    report = outcomes.report
    if as_json:
        from kexport.reports import json

        click.echo(json.render(report))
    elif len(paths) > 1:
        echo(outcomes.summary)
    deliver(report, paths[0] if len(paths) == 1 else Path(paths[0]).parent)
    return outcomes.exit_code


def _bundles(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The bundles to check: of a folder of several all that lie in it."""
    from kexport.bundle.folder import each_bundle

    return tuple(str(each) for path in paths for each in each_bundle(path))


@dataclass(frozen=True)
class _Request:
    """How to check a bundle; the command's options, grouped."""

    runtimes: tuple[str, ...]
    trust: Trust
    require: str | None
    signed_by: str | None
    truth: bool
    costs: _Costs
    strictness: Strictness


@dataclass
class _Outcomes:
    """What came of each of several bundles: a report, or an error."""

    paths: tuple[str, ...]
    reports: dict[str, Report] = field(default_factory=dict)
    errors: dict[str, KexportError] = field(default_factory=dict)

    @property
    def report(self) -> Report:
        """All checks; of several bundles the artifacts' paths begin with the bundle's."""
        from kexport.bundle.report import Report

        if len(self.paths) == 1:
            return self.reports[self.paths[0]]
        notes = tuple(f"{path}: {error.subject}" for path, error in self.errors.items())
        whole = Report.of_several(f"{len(self.paths)} bundles", self.reports)
        return replace(whole, notes=(*whole.notes, *notes))

    @property
    def exit_code(self) -> int:
        """The worst: bad input, then a failed check, then what could not be checked."""
        codes = {report.exit_code for report in self.reports.values()}
        codes |= {error.exit_code for error in self.errors.values()}
        return next((code for code in (USAGE, FAILED, UNCHECKED) if code in codes), 0)

    @property
    def summary(self) -> str:
        """One line for each bundle."""
        from kexport.reports import summary

        passed = sum(report.passed for report in self.reports.values())
        lines = [f"{len(self.paths)} bundles, {passed} passed"]
        for path in self.paths:
            if (report := self.reports.get(path)) is not None:
                said = "pass" if report.passed else "FAIL" if report.exit_code == FAILED else "not checked"
                lines.append(f"  {said} {path}: {summary(report)}")
            else:
                lines.append(f"  error {path}: {self.errors[path].subject if path in self.errors else 'not reached'}")
        return "\n".join(lines)


def _interrupted() -> bool:
    from kexport.parity.budget import searches_stopped

    return searches_stopped()


def _shared_processes() -> Processes:
    """For several bundles: each still has processes of its own, but TensorFlow is imported once, for all of them."""
    from kexport.factory.tensorflow_workers import forked_worker
    from kexport.field.verification import Processes
    from kexport.runtimes import TENSORFLOW

    return Processes(makers={TENSORFLOW: forked_worker})


def _checked(path: str, request: _Request, processes: Processes | None) -> tuple[Bundle, Report]:
    from kexport.cli._progress import working

    with working(f"checking {path}"):
        from kexport import runtimes as known_runtimes
        from kexport.bundle.folder import Bundle
        from kexport.field.authenticity import require_signed
        from kexport.field.verification import Verification, required_runtimes, verify_bundle

        trust, strictness = request.trust, request.strictness
        required = () if request.require is None else required_runtimes.names_of(request.require)
        names = required_runtimes.including(request.runtimes, required)
        requested = None if names is None else tuple(map(known_runtimes.get, names))
        signed = None if request.signed_by is None else require_signed(path, request.signed_by, trust.max_bytes)
        bundle = Bundle.open(path, trust.max_bytes)
        evaluation = None if request.costs.metric is None else request.costs.metric.of_bundle(bundle)
        reference = _model_in(bundle, trust) if request.truth else None
        verification = Verification(
            bundle, requested, trust, strictness, reference, evaluation=evaluation, budgets=request.costs.budgets
        )
        report = verify_bundle(replace(verification, processes=processes) if processes else verification)
    return bundle, required_runtimes.require(report if signed is None else signed.recorded(report), bundle, required)


def _model_in(bundle: Bundle, trust: Trust) -> Reference:
    """The model in the bundle's `.keras` artifact, loaded in this process."""
    from kexport.cli._boundary import heed_in_native_code
    from kexport.factory.truth import of_bundle

    heed_in_native_code()
    return of_bundle(bundle, trust)


def _show(report: Report, bundle: Bundle) -> None:
    from kexport.reports import summary, terminal

    terminal.show(report, bundle, styled(sys.stdout))
    echo(summary(report))


COMMAND = command
