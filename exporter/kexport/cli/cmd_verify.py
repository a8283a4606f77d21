"""`kexport verify`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from kexport.cli._delivery import Delivery, delivering
from kexport.cli._strictness import strictness

if TYPE_CHECKING:
    from kexport.parity.budget import Budget
    from kexport.parity.tolerance import Tolerance


@click.command("verify")
@click.argument("bundle", metavar="BUNDLE")
@click.option("--runtime", "runtimes", multiple=True, metavar="NAME", help="Only this runtime; may be repeated.")
@click.option(
    "--import", "imports", multiple=True, metavar="FILE|MODULE", help="Run this code before a .keras file is loaded."
)
@click.option("--allow-lambda", is_flag=True, help="Load Lambda layers, which runs the bytecode in the file.")
@click.option("--require", metavar="A,B", help="These too; one that compares nothing is a check that was not made.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on standard output.")
@strictness
@delivering
def COMMAND(  # noqa: N802  (the name by which the group finds it)
    bundle: str,
    runtimes: tuple[str, ...],
    imports: tuple[str, ...],
    allow_lambda: bool,
    require: str | None,
    as_json: bool,
    search: Budget | None,
    tolerance: dict[str, Tolerance],
    deliver: Delivery,
) -> int:
    """Check a bundle on this machine: digests, signature, witnesses and goldens in every runtime.

    Without --runtime it takes every runtime that is installed and can read an artifact of the bundle. A search
    compares each of them with every other that is installed, and keeps what it finds in the bundle.
    """
    from kexport.bundle.folder import Bundle
    from kexport.field import requiring
    from kexport.field.verifying import verify
    from kexport.reports._wording import summary

    required = () if require is None else requiring.names_of(require)
    wanted = requiring.including(runtimes, required)
    report = verify(bundle, wanted, imports=imports, allow_lambda=allow_lambda, search=search, tolerance=tolerance)
    report = requiring.require(report, Bundle.open(bundle), required)
    if as_json:
        from kexport.reports import json

        click.echo(json.render(report))
    else:
        from kexport.reports import terminal

        terminal.show(report, Bundle.open(bundle), sys.stdout)
        click.echo(summary(report))
    deliver(report, bundle)
    return report.exit_code
