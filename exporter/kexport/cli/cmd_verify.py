"""`kexport verify`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kexport.errors import UsageError


@click.command("verify")
@click.argument("bundle", metavar="BUNDLE")
@click.option("--runtime", "runtimes", multiple=True, metavar="NAME", help="Only this runtime; may be repeated.")
@click.option(
    "--import", "imports", multiple=True, metavar="FILE|MODULE", help="Run this code before a .keras file is loaded."
)
@click.option("--allow-lambda", is_flag=True, help="Load Lambda layers, which runs the bytecode in the file.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on standard output.")
@click.option("--junit", metavar="FILE", help="Write the report as JUnit XML.")
def COMMAND(  # noqa: N802  (the name by which the group finds it)
    bundle: str,
    runtimes: tuple[str, ...],
    imports: tuple[str, ...],
    allow_lambda: bool,
    as_json: bool,
    junit: str | None,
) -> int:
    """Check a bundle on this machine: digests, signature, and goldens in every runtime.

    Without --runtime it takes every runtime that is installed and can read an artifact of the bundle.
    """
    from kexport.bundle.folder import Bundle
    from kexport.field.verifying import verify

    report = verify(bundle, list(runtimes) or None, imports=imports, allow_lambda=allow_lambda)
    if junit:
        from kexport.reports import junit as junit_report

        try:
            Path(junit).write_text(junit_report.render(report), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{junit} cannot be written", got=error.strerror) from None
    if as_json:
        from kexport.reports import json

        click.echo(json.render(report))
    else:
        from kexport.reports import terminal

        terminal.show(report, Bundle.open(bundle), sys.stdout)
        failed = sum(not check.passed for check in report.checks)
        verdict = f"{failed} of {len(report.checks)} checks did not pass" if failed else "passed"
        click.echo(f"{report.bundle}: {verdict}" if failed else f"{report.bundle}: {len(report.checks)} checks passed")
    return report.exit_code
