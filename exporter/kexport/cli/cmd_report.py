"""`kexport report`."""

from __future__ import annotations

import sys

import click

from kexport.cli import _completion
from kexport.cli._command import ToolCommand
from kexport.cli._page import HTML, PageFile
from kexport.cli._streams import styled


@click.command(
    "report",
    cls=ToolCommand,
    examples=("kexport report artifacts/lowpass --html lowpass.html", "kexport report old new --html change.html"),
)
@click.argument("bundles", metavar="BUNDLE...", nargs=-1, required=True, shell_complete=_completion.path)
@HTML
def command(bundles: tuple[str, ...], html: str | None) -> int:
    """Show the report of a bundle's build again, or set bundles against each other, the oldest first.

    Nothing is run: `kexport verify` checks a bundle on this machine. With --html it is one page, with the last of
    several bundles in full, and all figures that differ from those of the others.
    """
    from kexport.bundle.folder import Bundle
    from kexport.reports import summary, terminal

    page = PageFile(html, sys.stdout)
    for path in bundles:
        page.prepare({"path": path})
    opened = [Bundle.open(path) for path in bundles]
    if html is None:
        for bundle in opened:
            terminal.show(bundle.report, bundle, styled(sys.stdout))
            click.echo(summary(bundle.report))
    else:
        from kexport.page import PageSubject

        *before, last = opened
        names = " against ".join(bundle.path.name for bundle in (last, *before))
        page.write(PageSubject(names if before else last.manifest.name, last.report, last, before=tuple(before)))
    return 0


COMMAND = command
