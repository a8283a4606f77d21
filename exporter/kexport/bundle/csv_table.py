"""Tables of numbers in `.csv` files. What is not a number, or would become another one, is an error with its place."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle.conversion import ChangedValueError, converted, require_unchanged, whole_numbers_kept
from kexport.bundle.regular_files import open_regular, require_size
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import InputError, nearest

_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
#: A title is an identifier, or holds two letters in a row; a mistyped number such as `l.5` is neither.
_TITLE = re.compile(r"(?=[^\d+.-]).*[^\W\d_]{2}.*|[^\W\d]\w*( ?[\[(].*)?", re.DOTALL)
_GAPS = frozenset(
    {"", "na", "<na>", "nat", "true", "false", "n/a", "nan", "null", "nil", "none", "inf", "infinity", "missing"}
)
_ERROR_OF_A_SHEET = re.compile(r"#[A-Z0-9_/]+[!?]")  # such as #REF!, which spreadsheets write
#: Of a file, in bytes: what becomes of it in memory may be ten times as large.
MOST_TEXT = 1 << 26
_EXACT = 1 << 53  # beyond it, not every whole number is a float64


@dataclass(frozen=True)
class CsvTable:
    """The numbers of a file.

    Attributes:
        path: the file.
        values: its rows; whole numbers of 64 bits where no cell has a point or an exponent, else float64.
        whole: which cells have neither.
        lines: the line of each row in the file.
        titles: those of the columns; empty where the file has no line of titles.
    """

    path: Path
    values: Array
    whole: Array
    lines: Sequence[int]
    titles: Sequence[str] = ()

    def column(self, title: str) -> Array:
        """One column, of shape `(rows,)`; whole numbers of 64 bits where no cell of it has a point or an exponent.

        Raises:
            InputError: there is no such title.
        """
        index = self._index(title)
        return self.values[:, index].astype(np.int64) if self.whole[:, index].all() else self.values[:, index]

    def without(self, title: str) -> CsvTable:
        """The table without one column.

        Raises:
            InputError: there is no such title, or no other column.
        """
        index = self._index(title)
        if len(self.titles) == 1:
            raise InputError(f"{self.path} has no other column than {title!r}")
        values, whole = (np.delete(each, index, axis=1) for each in (self.values, self.whole))
        titles = [*self.titles[:index], *self.titles[index + 1 :]]
        return CsvTable(self.path, values, whole, self.lines, titles)

    def _index(self, title: str) -> int:
        if title not in self.titles:
            hint = nearest(title, self.titles) if self.titles else "the first line can have the titles of the columns"
            raise InputError(f"{self.path} has no column {title!r}", hint=hint)
        return self.titles.index(title)

    def rows_for(self, spec: TensorSpec) -> Array:
        """One sample per row, in the dtype of an input; a single column is one series, unless a sample is one value.

        Raises:
            InputError: a value would become another one in that dtype.
        """
        try:
            rows = converted(self.values, spec)
            self._require_exact(rows, spec)
        except ChangedValueError as error:
            if not error.index:
                expected = f"numbers; input {spec.name!r} takes {error.expected}"
                raise InputError(f"{self.path} does not fit input {spec.name!r}", expected=expected) from None
            row, column = error.index
            raise InputError(
                f"{self._place(row, column)}: input {spec.name!r} of dtype {spec.dtype} cannot represent the value",
                got=error.value,
                expected=error.expected,
                hint="a number with a point or an exponent may be rounded" if spec.is_float else None,
            ) from None
        return rows.T if rows.shape[1] == 1 and spec.shape[-1:] != (1,) else rows

    def _require_exact(self, rows: Array, spec: TensorSpec) -> None:
        """What `converted` cannot see in a table of float64: which numbers are whole, and which lost their last digits.

        Raises:
            ChangedValueError: a value is not what the file says.
        """
        if self.values.dtype.kind != "f":
            return
        if spec.is_float:
            numbers = np.where(self.whole, self.values, 0).astype(np.int64)
            kept = whole_numbers_kept(numbers, np.where(self.whole, rows, 0).astype(rows.dtype))
        else:
            kept = self.whole | (np.abs(self.values) < _EXACT)
        require_unchanged(kept, self.values, spec)

    def _place(self, row: int, column: int) -> str:
        return f"{self.path}, line {self.lines[row]}, column {column + 1}"


def read(path: Path, most: int = MOST_TEXT) -> CsvTable:
    """The table, without empty lines and a line of titles.

    Args:
        path: the file.
        most: its largest size in bytes.

    Raises:
        InputError: a cell is not a number, rows differ in length, or there is no row.
        OSError, ValueError, csv.Error: the file cannot be read.
    """
    rows: list[list[int | float]] = []
    lines: list[int] = []
    titles: list[str] = []
    with open_regular(path) as content, io.TextIOWrapper(content, newline="", encoding="utf-8-sig") as file:
        require_size(os.fstat(content.fileno()).st_size, most)
        reader = csv.reader(file, strict=True)
        for number, cells in enumerate(reader):
            line = reader.line_num
            if number == 0 and _are_titles(cells):
                titles = [cell.strip().lstrip("# ") for cell in cells]
                continue
            if not cells:
                continue
            rows.append([_number(path, line, column, cell) for column, cell in enumerate(cells, start=1)])
            lines.append(line)
            if len(rows[-1]) != len(rows[0]):
                raise InputError(
                    f"{path} has rows of different lengths",
                    got=f"{len(rows[-1])} values in line {line}",
                    expected=f"{len(rows[0])}, as in the first row",
                )
    if not rows:
        raise InputError(f"{path} holds no numbers", expected="at least one row")
    whole = np.array([[isinstance(value, int) for value in row] for row in rows])
    values = np.array(rows, _dtype(rows) if whole.all() else np.float64)
    for row, column in np.argwhere(whole & (np.abs(values) >= _EXACT)):
        if int(values[row, column]) != rows[row][column]:
            cell = str(rows[row][column])
            raise _refused(path, lines[row], column + 1, cell, "a number that float64 can represent, as the others are")
    return CsvTable(path, values, whole, lines, titles if len(titles) == values.shape[1] else ())


def _dtype(rows: list[list[int | float]]) -> type[np.number[Any]]:
    """The dtype of whole numbers of at most 64 bits."""
    if max(map(max, rows)) <= np.iinfo(np.int64).max:
        return np.int64
    return np.uint64 if min(map(min, rows)) >= 0 else np.float64


def _are_titles(cells: Sequence[str]) -> bool:
    """Whether the cells of the first line are titles: words, each another one, and no marks of gaps."""
    words = [cell.strip() for cell in cells]
    return (
        len(set(words)) == len(words)
        and all(_TITLE.fullmatch(word.lstrip("# ")) and word.lower() not in _GAPS for word in words)
        and not any(map(_ERROR_OF_A_SHEET.fullmatch, words))
        and not any(map(_NUMBER.fullmatch, words))
    )


def _number(path: Path, line: int, column: int, cell: str) -> int | float:
    """The number in a cell: an `int` where it has neither point nor exponent."""
    if _WHOLE.fullmatch(cell):
        value = int(cell) if len(cell) < 40 else 1 << 64  # longer text may take long to read
        if value == 0 and "-" in cell:
            return -0.0
        if -(1 << 63) <= value < 1 << 64:
            return value
        raise _refused(path, line, column, cell, "a whole number of at most 64 bits")
    if not _NUMBER.fullmatch(cell):
        hint = "fill or remove the gaps in a recording first"
        if any(mark in cell.strip() for mark in ";\t ,"):
            hint = "separate the values by commas, and write decimals with a point"
        raise _refused(path, line, column, cell, "a finite number", hint)
    number = float(cell)
    if abs(number) == float("inf"):
        raise _refused(path, line, column, cell, "a number that fits into 64 bits")
    return number


def _refused(path: Path, line: int, column: int, cell: str, expected: str, hint: str | None = None) -> InputError:
    subject = f"{path}, line {line}, column {column}: not a number that can be read"
    return InputError(subject, got=repr(cell[:60]), expected=expected, hint=hint)
