"""`kexport compare`."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kexport.cli._delivery import Delivery, delivering
from kexport.cli._pairs import pairs
from kexport.cli._strictness import strictness

if TYPE_CHECKING:
    from kexport.parity.budget import Budget
    from kexport.parity.tolerance import Tolerance


@click.command("compare")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--runtime", "runtimes", multiple=True, metavar="NAME", help="Only this runtime; may be repeated.")
@click.option(
    "--map",
    "names",
    multiple=True,
    metavar="A_NAME=B_NAME",
    callback=pairs("A_NAME=B_NAME"),
    help="An input or output of A, and what B calls it.",
)
@click.option(
    "--domain",
    multiple=True,
    metavar="INPUT=DOMAIN",
    callback=pairs("'signal=uniform(-5, 5)'"),
    help="Where an input lives; by default as a bundle says, else uniform(-1, 1).",
)
@click.option("--samples", metavar="FILE", help="Recorded inputs as their domain: a .npz by name, a .npy, a .csv.")
@click.option("--witness", metavar="FILE.npz", help="Write the worst input there, by the names of A.")
@click.option(
    "--import", "imports", multiple=True, metavar="FILE|MODULE", help="Run this code before a .keras file is loaded."
)
@click.option("--allow-lambda", is_flag=True, help="Load Lambda layers, which runs the bytecode in the file.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on standard output.")
@functools.partial(strictness, default="5000")
@delivering
def COMMAND(  # noqa: N802  (the name by which the group finds it)
    a: str,
    b: str,
    runtimes: tuple[str, ...],
    names: dict[str, str],
    domain: dict[str, str],
    samples: str | None,
    witness: str | None,
    imports: tuple[str, ...],
    allow_lambda: bool,
    as_json: bool,
    search: Budget,
    tolerance: dict[str, Tolerance],
    deliver: Delivery,
) -> int:
    """Compare two models, A being taken for right: an old release and a new one, an ONNX and a TFLite file.

    Each is a bundle, a SavedModel folder, or a .onnx, .tflite or .keras file. Inputs and outputs are paired by their
    names. The limit is that of the bundles, else what one unit in the last place of the inputs makes of the outputs.
    """
    from kexport.field.comparison.model_comparison import compare

    report = compare(
        a, b, runtimes, names=names, domain=domain, samples=samples, search=search, tolerance=tolerance,
        witness=witness, imports=imports, allow_lambda=allow_lambda,
    )  # fmt: skip
    if as_json:
        from kexport.reports import json

        click.echo(json.render(report))
    else:
        from kexport.reports import pairs as table

        click.echo(table.render(report))
    deliver(report, b if Path(b).is_dir() and Path(b, "manifest.json").exists() else Path(b).parent)
    return report.exit_code
