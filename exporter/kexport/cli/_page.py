"""The option `--html`, and the page that it names."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from kexport.cli._targets import require_outside
from kexport.errors import MissingExtraError

if TYPE_CHECKING:
    from kexport.page import PageSubject

HTML = click.option("--html", metavar="FILE", help="Write the report as one HTML page with charts.")


class PageFile:
    """The file that `--html` names, if any.

    Args:
        path: its path.
        stream: where it is said that the page was written.
    """

    def __init__(self, path: str | None, stream: TextIO) -> None:
        self.path, self._stream = path, stream

    def prepare(self, options: Mapping[str, object]) -> None:
        """Check before the work that the page can be written, and remove an old one.

        An old page must not be mistaken for the page of a run that wrote none.

        Args:
            options: the parameters of the command, none of whose subjects may change.

        Raises:
            MissingExtraError: Jinja2 is not installed.
            UsageError: it cannot be written.
        """
        if self.path is None:
            return
        if importlib.util.find_spec("jinja2") is None:
            raise MissingExtraError("--html needs Jinja2, which is not installed", hint="pip install 'kexport[html]'")
        from kexport.page import require_writable

        require_outside("--html", self.path, options)
        require_writable(self.path)
        Path(self.path).unlink(missing_ok=True)

    def write(self, subject: PageSubject) -> None:
        """Write the page of a subject, and say so.

        Raises:
            UsageError: it cannot be written.
        """
        if self.path is None:
            return
        from kexport.page import write
        from kexport.reports import size

        click.echo(f"wrote {self.path}, {size(write(subject, self.path))}", file=self._stream)
