"""`kexport localise`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from kexport.cli import _completion
from kexport.cli._command import ToolCommand
from kexport.cli._options import JSON, RUNTIMES, trusting
from kexport.cli._page import HTML, PageFile
from kexport.screen_text import screen_width

if TYPE_CHECKING:
    from kexport.field.trust import Trust


@click.command(
    "localise",
    cls=ToolCommand,
    begins=lambda given: f"reading {given['bundle']}",
    examples=(
        "kexport localise artifacts/lowpass.rejected",
        "kexport localise artifacts/lowpass --runtime onnxruntime --json",
    ),
)
@click.argument("bundle", metavar="BUNDLE", shell_complete=_completion.path)
@RUNTIMES
@trusting
@JSON
@HTML
def command(bundle: str, runtimes: tuple[str, ...], trust: Trust, as_json: bool, html: str | None) -> int:
    """Name the layer at which an artifact of a bundle diverges from the model.

    The result of every layer in an artifact is compared with the truth, which is computed from the bundle's .keras
    file; so this needs TensorFlow. Without --runtime it takes every installed runtime whose artifacts have
    observable layers. A bundle that was rejected when it was built never passes: what the build's report says then
    follows, and where the model itself is no function, the layer that makes it so.
    """
    from kexport.cli._progress import working

    page = PageFile(html, sys.stderr if as_json else sys.stdout)
    page.prepare({"path": bundle})
    with working(f"reading {bundle}") as progress:
        from kexport.factory.localisation import localise
        from kexport.reports import layers_json, layers_table

        found = localise(bundle, list(runtimes) or None, trust, progress)
    if as_json:
        click.echo(layers_json(bundle, found))
    else:
        click.echo(layers_table(found, screen_width(sys.stdout)))
    if html is not None:
        from kexport.bundle.folder import Bundle
        from kexport.bundle.regular_files import NO_LIMIT
        from kexport.page import PageSubject

        opened = Bundle.open(bundle, NO_LIMIT)
        page.write(PageSubject(opened.manifest.name, found.built, opened, found))
    return found.exit_code


COMMAND = command
