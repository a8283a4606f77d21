"""`kexport compare`."""

from __future__ import annotations

import functools
import sys
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
    RUNTIMES,
    SAMPLES,
    SIGNATURE,
    checking,
    gathered,
    trusting,
)
from kexport.cli._pairs import pairs
from kexport.cli._targets import require_outside
from kexport.parity.budget import DEFAULT_SEARCH
from kexport.screen_text import screen_width

if TYPE_CHECKING:
    from kexport.field.comparison import MetricGate
    from kexport.field.trust import Trust
    from kexport.parity.strictness import Strictness


_MAX_DROP = click.option(
    "--max-drop",
    type=float,
    metavar="N",
    help="How much worse B may be by the metric: in percentage points for accuracy, top5 and f1, else in the unit of "
    "the metric; by default 0.",
)


def _gate(metric: str | None, labels: str | None, max_drop: float | None) -> MetricGate | None:
    from kexport.field.comparison import MetricGate

    return MetricGate.of(metric, labels, max_drop)


@click.command(
    "compare",
    cls=ToolCommand,
    begins=lambda given: f"comparing {given['a']} with {given['b']}",
    examples=(
        "kexport compare old/model.onnx new/model.onnx",
        "kexport compare model.onnx model.tflite --map image=input_1 --witness worst.npz",
        "kexport compare old new --samples d.npz --labels d.npz:label --metric accuracy --max-drop 0.5",
    ),
)
@click.argument("a", metavar="A", shell_complete=_completion.path)
@click.argument("b", metavar="B", shell_complete=_completion.path)
@RUNTIMES
@click.option(
    "--map",
    "names",
    multiple=True,
    metavar="A_NAME=B_NAME",
    callback=pairs("A_NAME=B_NAME"),
    help="An input or output of A, and what B calls it.",
)
@DOMAIN
@SAMPLES
@gathered("gate", _gate, {"labels": LABELS, "metric": METRIC, "max_drop": _MAX_DROP})
@SIGNATURE
@click.option("--witness", metavar="FILE.npz", help="Write the worst input to this file, under the names in A.")
@trusting
@JSON
@functools.partial(checking, search=DEFAULT_SEARCH)
@delivering
def command(
    a: str,
    b: str,
    runtimes: tuple[str, ...],
    names: dict[str, str],
    domain: dict[str, str],
    samples: str | None,
    gate: MetricGate | None,
    signature: str | None,
    witness: str | None,
    trust: Trust,
    as_json: bool,
    strictness: Strictness,
    deliver: Delivery,
) -> int:
    """Compare two models, of which A is the reference: an old release and a new one, an ONNX and a TFLite file.

    Each is a bundle, a SavedModel folder, or a .onnx, .tflite or .keras file. Inputs and outputs are paired by their
    names. The limit is that of the bundles, or else how far the outputs move with one unit in the last place of the
    inputs. With --metric they are compared by it alone: exit 1 where B is worse by more than --max-drop.
    """
    from kexport.cli._progress import working

    with working(f"comparing {a} with {b}"):
        from kexport.field.comparison import ComparisonRequest, InterfaceOptions, compare_models

        interface = InterfaceOptions(names, domain, samples, signature, trust.max_bytes)
        kept = None if witness is None else Path(witness)
        if witness is not None:
            require_outside("--witness", witness, {"a": a, "b": b})
        request = ComparisonRequest(Path(a), Path(b), runtimes, interface, trust, strictness, kept)
        report = compare_models(request, gate=gate)
    if as_json:
        from kexport.reports import json

        click.echo(json.render(report))
    else:
        from kexport.reports import pairs as table

        click.echo(table.render(report, screen_width(sys.stdout)))
    deliver(report, b if Path(b).is_dir() and Path(b, "manifest.json").exists() else Path(b).parent, (a, b))
    return report.exit_code


COMMAND = command
