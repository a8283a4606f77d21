"""`kexport list`."""

from __future__ import annotations

import json
import sys

import click

from kexport.cli import _announcement, _completion
from kexport.cli._command import ToolCommand
from kexport.cli._options import JSON

KINDS = ("models", "layers", "formats", "runtimes", "contracts", "metrics")


@click.command(
    "list",
    cls=ToolCommand,
    begins=lambda given: f"looking for {given['kind']}",
    stays=False,
    examples=(
        "kexport list models",
        "kexport list layers --json",
    ),
)
@click.argument("kind", metavar="|".join(KINDS), shell_complete=_completion.one_of(lambda: KINDS))
@JSON
def command(kind: str, as_json: bool) -> None:
    """List the models, layers, formats, runtimes, kinds of contract or metrics that are available."""
    from kexport.errors import unknown
    from kexport.screen_text import listing, screen_width

    if kind not in KINDS:
        raise unknown("list", kind, KINDS)
    rows_of = {"formats": _formats, "runtimes": _runtimes, "contracts": _contracts, "metrics": _metrics}
    rows = rows_of[kind]() if kind in rows_of else _offers(kind)
    _announcement.forget()
    if as_json:
        click.echo(json.dumps([_entry(name, text) for name, text in _joined(rows)], indent=2))
        return
    for line in listing(rows, screen_width(sys.stdout), "", 0):
        click.echo(line)


def _joined(rows: list[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Each name with its lines: a row without one goes on with the name before."""
    joined: list[tuple[str, list[str]]] = []
    for name, text in rows:
        if name:
            joined.append((name, [text]))
        else:
            joined[-1][1].append(text)
    return joined


def _entry(name: str, lines: list[str]) -> dict[str, str]:
    summary, *parameters = lines
    return {"name": name, "summary": summary, **({"parameters": parameters[0]} if parameters else {})}


def _offers(kind: str) -> list[tuple[str, str]]:
    from kexport import registry

    rows = []
    for name, offer in registry.offers(f"kexport.{kind}").items():
        rows.append((name, offer.summary()))
        if parameters := offer.parameters():
            rows.append(("", "--set " + " --set ".join(parameters)))
    return rows


def _formats() -> list[tuple[str, str]]:
    from kexport.factory import formats

    return [(form.name, form.summary) for form in formats.every()]


def _runtimes() -> list[tuple[str, str]]:
    from kexport import runtimes

    rows = []
    for runtime in runtimes.every():
        state = runtime.package.version if runtime.installed else f"not installed: {runtime.package.install_command}"
        rows.append((runtime.name, f"{runtime.summary}; reads {runtime.reads}; {state}"))
    return rows


def _contracts() -> list[tuple[str, str]]:
    from kexport.contracts import kinds

    rows = []
    for name in kinds.names():
        rows.append((name, kinds.summary(name)))
        if parameters := kinds.parameters(name):
            rows.append(("", ", ".join(parameters)))
    return rows


def _metrics() -> list[tuple[str, str]]:
    from kexport import metrics

    return [(name, metrics.get(name).summary) for name in metrics.names()]


COMMAND = command
