"""The option `--plots`, shared by the commands that check promises."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kexport.cli._targets import require_outside

if TYPE_CHECKING:
    from kexport.bundle.report import Report


def plotting(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the option `--plots`, and `plot`, which draws what was measured of its report."""

    @click.option("--plots", metavar="DIR", help="Plot the frequency response of low-pass promises as PNG, in DIR.")
    @functools.wraps(function)
    def command(*args: object, plots: str | None, **options: object) -> int:
        folder = None if plots is None else Path(plots)
        if plots is not None and folder is not None:
            from kexport.reports import prepare_plots

            require_outside("--plots", plots, options)
            prepare_plots(folder)
        stream = sys.stderr if options.get("as_json") else sys.stdout

        def plot(report: Report, path: str | Path) -> None:
            if folder is None:
                return
            from kexport.bundle.folder import Bundle
            from kexport.bundle.regular_files import NO_LIMIT  # what was checked has been read before
            from kexport.reports import draw_responses

            drawn = draw_responses(report, Bundle.open(path, NO_LIMIT), folder)
            for each in drawn:
                click.echo(f"plotted {each}", file=stream)
            if not drawn:
                click.echo("nothing to plot: no low-pass promise was measured", file=stream)

        return function(*args, plot=plot, **options)

    return command
