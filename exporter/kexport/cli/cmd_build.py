"""`kexport build`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kexport.cli._delivery import Delivery, delivering
from kexport.cli._pairs import pairs
from kexport.cli._plots import plotting
from kexport.cli._strictness import strictness
from kexport.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kexport.bundle.report import Report
    from kexport.parity.budget import Budget
    from kexport.parity.tolerance import Tolerance

_MODEL = (
    "A registered model, file.py:callable or package.module:callable (its code runs), a .keras file, or a SavedModel "
    "folder."
)


@click.command("build")
@click.option("--model", required=True, metavar="MODEL", help=_MODEL)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    callback=pairs("KEY=VALUE"),
    help="A parameter of the model.",
)
@click.option("--formats", metavar="A,B", help="What to write; by default keras,saved_model,onnx,tflite.")
@click.option("--out", metavar="DIR", help="Where to; by default artifacts/NAME.")
@click.option(
    "--domain",
    multiple=True,
    metavar="INPUT=DOMAIN",
    callback=pairs("'signal=uniform(-5, 5)'"),
    help="Where an input lives: uniform(LOW, HIGH), normal(MEAN, DEVIATION), ints(LOW, HIGH), choice(A, B, ...).",
)
@click.option("--samples", metavar="FILE", help="Recorded inputs as their domain: a .npz by name, a .npy, a .csv.")
@click.option(
    "--import",
    "imports",
    multiple=True,
    metavar="FILE|MODULE",
    help="Run this code first, to register your own layers.",
)
@click.option("--allow-lambda", is_flag=True, help="Load Lambda layers, which runs the bytecode in the file.")
@click.option("--opset", type=int, help="Of the ONNX artifact; by default the highest that can be written.")
@click.option("--timeout", type=click.FloatRange(min=1), help="Seconds that the conversion to one format may take.")
@click.option("--keep-going", is_flag=True, help="Build the other formats when one is refused; still exits 1.")
@click.option(
    "--contract",
    "contracts",
    multiple=True,
    metavar="[OUTPUT=]CONTRACT",
    help="What the model promises besides, such as 'y=bounded(0, 1)' or 'x->y=monotonic(1)'; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on standard output.")
@strictness
@delivering
@plotting
def COMMAND(  # noqa: N802  (the name by which the group finds it)
    model: str,
    settings: dict[str, str],
    formats: str | None,
    out: str | None,
    domain: dict[str, str],
    samples: str | None,
    imports: tuple[str, ...],
    allow_lambda: bool,
    opset: int | None,
    timeout: float | None,
    keep_going: bool,
    contracts: tuple[str, ...],
    as_json: bool,
    search: Budget | None,
    tolerance: dict[str, Tolerance],
    deliver: Delivery,
    plot: Callable[[Report, str | Path], None],
) -> int:
    """Build a model into a bundle, and check every artifact in its runtimes.

    A bundle whose checks fail is written to OUT.rejected. The code named by --import, and that of a
    registered model, is run.
    """
    from kexport.cli._boundary import quiet_libraries
    from kexport.cli._progress import Steps
    from kexport.factory import pipeline
    from kexport.process import DEFAULT_TIMEOUT
    from kexport.reports import json

    began = time.monotonic()
    chosen = None if formats is None else _names(formats)
    with quiet_libraries() as stream, Steps(stream) as steps:
        bundle = pipeline.build(
            model,
            out,
            formats=chosen,
            domain=domain,
            samples=samples,
            settings=settings,
            imports=imports,
            allow_lambda=allow_lambda,
            opset=opset,
            timeout=timeout or DEFAULT_TIMEOUT,
            keep_going=keep_going,
            search=search,
            tolerance=tolerance,
            contracts=contracts,
            progress=steps,
        )
    if as_json:
        click.echo(json.render(bundle.report))
    from kexport.reports import terminal

    stream = sys.stderr if as_json else sys.stdout
    terminal.show(bundle.report, bundle, stream)
    print(_summary(bundle, Path(bundle.path), time.monotonic() - began), file=stream)
    deliver(bundle.report, bundle.path)
    plot(bundle.report, bundle.path)
    return bundle.report.exit_code


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise UsageError("--formats names no format", expected="for example --formats onnx,tflite")
    return names


def _summary(bundle: Any, path: Path, seconds: float) -> str:
    from kexport.reports._wording import summary

    if not bundle.report.passed:
        return f"rejected: {summary(bundle.report)}; the bundle lies at {path}"
    return f"built {path}: {len(bundle.report.checks)} checks passed, {seconds:.1f} s"
