"""`kexport verify`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from kexport.cli._delivery import Delivery, delivering
from kexport.cli._plots import plotting
from kexport.cli._strictness import strictness
from kexport.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kexport.bundle.report import Report
    from kexport.field.search.verdicts import Truth
    from kexport.field.trust import Trust
    from kexport.parity.budget import Budget
    from kexport.parity.tolerance import Tolerance


@click.command("verify")
@click.argument("bundle", metavar="BUNDLE")
@click.option("--runtime", "runtimes", multiple=True, metavar="NAME", help="Only this runtime; may be repeated.")
@click.option(
    "--import",
    "imports",
    multiple=True,
    metavar="FILE|MODULE",
    help="Run this code first: it registers the layers of a .keras file, or kinds of contract.",
)
@click.option("--allow-lambda", is_flag=True, help="Load Lambda layers, which runs the bytecode in the file.")
@click.option("--require", metavar="A,B", help="These too; one that compares nothing is a check that was not made.")
@click.option("--truth", is_flag=True, help="Search against the model in the .keras artifact; needs TensorFlow.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on standard output.")
@strictness
@delivering
@plotting
def COMMAND(  # noqa: N802  (the name by which the group finds it)
    bundle: str,
    runtimes: tuple[str, ...],
    imports: tuple[str, ...],
    allow_lambda: bool,
    require: str | None,
    truth: bool,
    as_json: bool,
    search: Budget | None,
    tolerance: dict[str, Tolerance],
    deliver: Delivery,
    plot: Callable[[Report, str | Path], None],
) -> int:
    """Check a bundle on this machine: digests, signature, witnesses and goldens in every runtime.

    Without --runtime it takes every runtime that is installed and can read an artifact of the bundle. A search
    compares each of them with every other that is installed, and keeps what it finds in the bundle.
    """
    from kexport.bundle.folder import Bundle
    from kexport.cli._boundary import quiet_libraries
    from kexport.field.trust import Trust
    from kexport.field.verification import required_runtimes
    from kexport.field.verification.bundle_checks import verify
    from kexport.reports._wording import summary

    if truth and search is None:
        raise UsageError(
            "--truth says what to search against, and no search was asked for", hint="--search 30s --truth"
        )
    required = () if require is None else required_runtimes.names_of(require)
    wanted = required_runtimes.including(runtimes, required)
    with quiet_libraries():
        report = verify(
            bundle,
            wanted,
            imports=imports,
            allow_lambda=allow_lambda,
            search=search,
            tolerance=tolerance,
            truth=_model(bundle, Trust.of(imports, allow_lambda)) if truth else None,
        )
    report = required_runtimes.require(report, Bundle.open(bundle), required)
    if as_json:
        from kexport.reports import json

        click.echo(json.render(report))
    else:
        from kexport.reports import terminal

        terminal.show(report, Bundle.open(bundle), sys.stdout)
        click.echo(summary(report))
    deliver(report, bundle)
    plot(report, bundle)
    return report.exit_code


def _model(bundle: str, trust: Trust) -> Truth:
    from kexport.bundle.folder import Bundle
    from kexport.factory.truth import reference

    return reference.of_bundle(Bundle.open(bundle), trust)
