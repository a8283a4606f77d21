"""Text of a given width: what belongs together stays on a line, and nothing is cut."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Sequence
from typing import TextIO

from kexport.visible import visible

PLAIN_WIDTH = 120  # columns, where the output is not a terminal and COLUMNS is not set
_LEAST = 20
_GLUE = "\N{NO-BREAK SPACE}"
# A number and its unit, and the words of a table's cell that are short.
_FIGURE = re.compile(r"(?<=\d) (?=(?:[kMG]?B|dB|k?Hz|m?s|%|points|limits|ulp|evaluations|inputs|samples)\b|%)")


def screen_width(stream: TextIO) -> int:
    """The columns that a stream has: as COLUMNS says, else those of its terminal, else those of plain text."""
    stated = os.environ.get("COLUMNS", "")
    if stated.isdigit() and int(stated):
        return max(_LEAST, int(stated))
    try:
        if stream.isatty() and (columns := os.get_terminal_size(stream.fileno()).columns):
            return max(_LEAST, columns)
    except (OSError, ValueError):
        pass  # something that only claims to be a terminal
    return PLAIN_WIDTH


def together(text: str) -> str:
    """A text that `wrapped` does not break."""
    return text.replace(" ", _GLUE)


def wrapped(text: str, width: int, first: str = "", rest: str | None = None, *, fold: bool = False) -> list[str]:
    """The lines of a text, broken between words; a word that is longer than a line, such as a path, stays whole.

    Args:
        text: the text; its own lines stay lines.
        width: columns of a line.
        first: what the first line begins with.
        rest: what the others begin with; by default as much space.
        fold: break a longer word too.
    """
    indent = " " * len(first) if rest is None else rest
    lines: list[str] = []
    for part in text.splitlines() or [""]:
        glued = _FIGURE.sub(_GLUE, visible(part))
        found = textwrap.wrap(
            glued,
            width,
            initial_indent=indent if lines else first,
            subsequent_indent=indent,
            break_long_words=fold,
            break_on_hyphens=False,
            expand_tabs=False,
        )
        lines += found or [(indent if lines else first).rstrip()]
    return [line.replace(_GLUE, " ").rstrip() for line in lines]


def listing(rows: Sequence[tuple[str, str]], width: int, indent: str = "  ", least: int = 16) -> list[str]:
    """Names and what is said of each, in two columns; where the width is small, one below the other.

    Args:
        rows: the names and texts; a row without a name goes on with the one before.
        width: columns of a line.
        indent: what each line begins with.
        least: columns that the names get at least.
    """
    column = max([least, *(len(visible(name)) for name, _ in rows)])
    margin = indent + " " * (column + 2)
    lines = []
    for name, text in rows:
        if len(margin) * 2 > width:
            lines += [f"{indent}{visible(name)}"] * bool(name) + wrapped(text, width, indent + "  ", fold=True)
        else:
            lines += wrapped(text, width, f"{indent}{visible(name):<{column}}  ", margin, fold=True)
    return lines
