"""Where a report goes besides the terminal: a JUnit file, a page, GitHub Actions. Shared by the commands that check."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from kexport.cli._page import HTML, PageFile
from kexport.cli._targets import require_outside
from kexport.errors import KexportError, UsageError

if TYPE_CHECKING:
    from kexport.bundle.folder import Bundle
    from kexport.bundle.report import Report


def delivering(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options `--junit`, `--github` and `--html`, and `deliver`, which takes its report to all."""

    @click.option("--junit", metavar="FILE", help="Write the report as JUnit XML.")
    @click.option("--github", is_flag=True, help="Print GitHub annotations; append to $GITHUB_STEP_SUMMARY.")
    @HTML
    @functools.wraps(function)
    def command(*args: object, junit: str | None, github: bool, html: str | None, **options: object) -> int:
        # JSON must stay alone on standard output; GitHub reads both streams.
        stream = sys.stderr if options.get("as_json") else sys.stdout
        page = PageFile(html, stream)
        deliver = Delivery(junit, github, page, stream)
        try:
            if junit is not None:
                require_outside("--junit", junit, options)
            deliver.prepare()
            page.prepare(options)
            return function(*args, deliver=deliver, **options)
        except KexportError as error:
            deliver.refusal(error)
            raise

    return command


class Delivery:
    """Delivers a report to where it was requested.

    Args:
        junit: path of the file to write, if any.
        github: whether to annotate.
        page: the page to write, if any.
        stream: where annotations are printed.
    """

    def __init__(self, junit: str | None, github: bool, page: PageFile, stream: TextIO) -> None:
        self._junit, self._github, self._page, self._stream = junit, github, page, stream

    def prepare(self) -> None:
        """Check before the work that the file can be written, and remove an old one.

        An old report must not be mistaken for the report of a run that wrote none.

        Raises:
            UsageError: it cannot be written.
        """
        if self._junit is not None:
            _write(self._junit, "", "a")
            if Path(self._junit).is_file():  # not a device such as /dev/stdout
                Path(self._junit).unlink()

    def __call__(self, report: Report, folder: str | Path, compared: tuple[str, ...] = ()) -> None:
        """Write the files, print the annotations and add to the summary of the job.

        Args:
            report: the report.
            folder: the bundle that it is about, or the folder that holds what it is about.
            compared: the paths of the models that it compares.

        Raises:
            UsageError: a file cannot be written.
        """
        if self._junit is not None:
            from kexport.reports import junit

            _write(self._junit, junit.render(report))
        if self._github:
            from kexport.reports import github

            self._print(github.render(report, _in_repository(Path(folder))))
            if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
                _write(summary, github.markdown(report), "a")

        if self._page.path is not None:
            from kexport.page import PageSubject

            bundle = None if compared else _bundle(folder)
            operands = tuple(each for each in map(_bundle, compared) if each is not None)
            self._page.write(PageSubject(report.bundle, report, bundle, operands=operands))

    def refusal(self, error: KexportError) -> None:
        """Annotate the error that ends the command."""
        if self._github:
            from kexport.reports import github

            self._print(github.command("error", str(error), title="kexport"))

    def _print(self, text: str) -> None:
        # A name in a bundle may hold lone surrogates, which cannot be encoded.
        click.echo(text.encode("utf-8", "replace").decode("utf-8"), file=self._stream)


def _bundle(path: str | Path) -> Bundle | None:
    """The bundle at a path, which has been read before; None where something else is."""
    from kexport.bundle.folder import Bundle, is_bundle
    from kexport.bundle.regular_files import NO_LIMIT

    return Bundle.open(path, NO_LIMIT) if is_bundle(Path(path)) else None


def _write(path: str, text: str, mode: str = "w") -> None:
    try:
        with Path(path).open(mode, encoding="utf-8", errors="replace") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path or 'a file without a name'} cannot be written", got=_reason(error)) from None


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _in_repository(folder: Path) -> Path:
    """The folder relative to the repository that GitHub has checked out, if it is in there."""
    root = Path(os.path.realpath(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()))
    whole = Path(os.path.realpath(folder))
    return whole.relative_to(root) if whole.is_relative_to(root) else folder
