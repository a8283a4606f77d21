"""Printing text of the command's own: broken between words where a terminal, or COLUMNS, has a width."""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

import click

from kexport.screen_text import screen_width, wrapped

_LABEL = re.compile(r"(\s*(?:(?:got|expected|hint|note|error):\s*)?)(.*)", re.DOTALL)


def echo(text: str, *, err: bool = False, stream: TextIO | None = None) -> None:
    """Print a text; in a pipe without COLUMNS its lines stay whole.

    Args:
        text: the text.
        err: print on standard error.
        stream: print there instead.
    """
    file = stream or (sys.stderr if err else sys.stdout)
    if not file.isatty() and not os.environ.get("COLUMNS"):
        click.echo(text, file=file)
        return
    width = screen_width(file)
    for line in text.split("\n"):
        label, rest = _LABEL.fullmatch(line).groups()  # type: ignore[union-attr]  # it matches any line
        first = label if len(label) * 2 < width else label[: len(label) - len(label.lstrip())]
        rest = rest if first == label else line.lstrip()
        for part in wrapped(rest, width, first):
            click.echo(part, file=file)
