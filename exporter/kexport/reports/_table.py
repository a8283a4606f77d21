"""Tables in text: the verdict first; where a line is too short, the least telling columns go, then rows are stacked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kexport.screen_text import together, wrapped
from kexport.visible import visible

_NOTHING = ("", "-")
_BETWEEN = "  "


@dataclass(frozen=True)
class TextColumn:
    """A column of a table.

    Attributes:
        title: what its header says.
        figure: whether it holds figures, which are aligned to the right.
        spare: 0 for what every reader needs; the others are left out where there is no room, the largest first.
        kept: whether it then stands below the row instead.
    """

    title: str
    figure: bool = False
    spare: int = 0
    kept: bool = False


VERDICT = TextColumn("verdict")


@dataclass(frozen=True)
class TextTable:
    """Lines of text.

    Attributes:
        header: the titles, in bold on a terminal; empty where each row states its own.
        lines: the rows.
    """

    header: str
    lines: tuple[str, ...]

    @property
    def text(self) -> list[str]:
        """All lines."""
        return [self.header, *self.lines] if self.header else [*self.lines]


def table(columns: Sequence[TextColumn], rows: Iterable[Sequence[str]], width: int, indent: str = "") -> TextTable:
    """Lay out a table in at most `width` columns.

    Args:
        columns: of which the first ones identify a row.
        rows: a cell for each column.
        width: columns of a line.
        indent: what each line begins with.

    Returns:
        The lines, without spaces at their ends. Only a cell that is longer than a line makes a line longer.
    """
    cells = [tuple(map(visible, row)) for row in rows]
    shown = [*range(len(columns))]
    titles = tuple(each.title for each in columns)
    widths = [max(len(row[at]) for row in (titles, *cells)) for at in shown]

    def needed() -> int:
        return len(indent + _BETWEEN.join(" " * widths[at] for at in shown))

    spare = sorted((at for at in shown if columns[at].spare), key=lambda at: (_is_empty(cells, at), columns[at].spare))
    while needed() > width and spare:
        shown.remove(spare.pop())
    if needed() > width:
        return TextTable("", tuple(line for row in cells for line in _stacked(columns, row, width, indent)))

    def line(row: Sequence[str]) -> str:
        parts = [row[at].rjust(widths[at]) if columns[at].figure else row[at].ljust(widths[at]) for at in shown]
        return (indent + _BETWEEN.join(parts)).rstrip()

    below = [at for at, each in enumerate(columns) if each.kept and at not in shown]
    lines = []
    for row in cells:
        lines.append(line(row))
        for at in below:
            if row[at] not in _NOTHING:
                lines += wrapped(f"{columns[at].title} {row[at]}", width, indent + "    ")
    return TextTable(line(titles), tuple(lines))


def _is_empty(rows: Sequence[Sequence[str]], at: int) -> bool:
    return all(row[at] in _NOTHING for row in rows)


def _stacked(columns: Sequence[TextColumn], row: Sequence[str], width: int, indent: str) -> list[str]:
    """A row in several lines: verdict and names, then each figure with its title."""
    pairs = [*zip(columns, row, strict=True)]
    names = [together(text) for each, text in pairs if not each.figure and not each.spare and text not in _NOTHING]
    others = [
        together(f"{each.title} {text}") if len(each.title) + len(text) < width // 2 else f"{each.title} {text}"
        for each, text in pairs
        if (each.figure or each.spare) and text not in _NOTHING
    ]
    lines = wrapped(_BETWEEN.join(names), width, indent, indent + "    ")
    return lines + (wrapped(", ".join(others), width, indent + "    ") if others else [])
