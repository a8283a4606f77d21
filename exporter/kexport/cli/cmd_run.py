"""`kexport run`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from kexport.cli import _completion
from kexport.cli._command import ToolCommand
from kexport.cli._options import PRECISION, trusting
from kexport.cli._targets import require_outside

if TYPE_CHECKING:
    from kexport.field.trust import Trust


@click.command(
    "run",
    cls=ToolCommand,
    begins=lambda given: f"running {given['path']}",
    stays=False,
    examples=(
        "kexport run artifacts/lowpass --input signal.csv",
        "kexport run artifacts/lowpass --input in.npz --runtime litert --output out.npz",
    ),
)
@click.argument("path", metavar="BUNDLE", shell_complete=_completion.path)
@click.option(
    "--input",
    "source",
    required=True,
    metavar="FILE",
    shell_complete=_completion.path,
    help="A .npy, .npz or .csv file.",
)
@click.option(
    "--runtime",
    metavar="NAME",
    shell_complete=_completion.one_of(_completion.runtimes),
    help="By default the best installed one.",
)
@PRECISION
@click.option("--output", metavar="FILE", help="A .npy, .npz or .csv file; by default CSV on standard output.")
@trusting
def command(
    path: str, source: str, runtime: str | None, precision: str | None, output: str | None, trust: Trust
) -> int:
    """Run a bundle's model on data from a file.

    In a .csv file a row is a sample, and a single column is one series. A .npz file holds one array per input, by name.
    """
    from pathlib import Path

    from kexport import runtimes
    from kexport.bundle import data_files
    from kexport.bundle.folder import Bundle
    from kexport.cli._progress import working
    from kexport.field.loading import session_of

    if output is not None:
        require_outside("--output", output, {"path": path})
    requested = None if runtime is None else runtimes.get(runtime)
    trust.require_imports()
    if requested is not None:
        requested.require()
    bundle = Bundle.open(path, trust.max_bytes)
    writer = data_files.writer_for(output, bundle.signature)
    feeds = data_files.read(Path(source), bundle.signature, trust.max_bytes)
    bundle.signature.check(feeds)  # before a runtime is imported
    with working(f"running {path}", stays=False):
        session, notes = session_of(bundle, requested, trust, precision=precision, isolated=True)
        with session:
            outputs = session(feeds)
    writer(outputs, sys.stdout)
    for difference in notes:
        click.echo(f"note: {difference}", err=True)
    shapes = ", ".join(f"{name} {array.shape}" for name, array in outputs.items())
    click.echo(f"{session.runtime}: {shapes}" + (f" -> {output}" if output else ""), err=True)
    return 0


COMMAND = command
