"""Indices into a table, and keys looked up in one: every row and key counts, so each is tried where there is room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kexport.bundle.domain import Choice, Features, Ints

MOST_TRIED = 1 << 16  # rows, keys or cells at most of which each is tried: that takes a call for each 4,096 of them


@dataclass(frozen=True)
class TableRows(Ints):
    """The rows of a table, of which each is tried where they are not too many.

    Attributes:
        room: how many the inputs of a comparison hold.
    """

    room: int = MOST_TRIED

    @property
    def are_all_tried(self) -> bool:
        """Whether each is among the points, and the inputs hold them all."""
        return self.high - self.low <= min(MOST_TRIED, self.room)

    def points(self) -> Sequence[float | str]:  # noqa: D102  see Domain
        return range(self.low, self.high) if self.are_all_tried else ()


@dataclass(frozen=True, init=False)
class TableCells(Features):
    """The cells of a table: the last axis of an input holds one index for each of the table's axes."""

    each: tuple[TableRows, ...]

    @property
    def are_all_tried(self) -> bool:
        """Whether every combination of indices is tried."""
        return math.prod(rows.high for rows in self.each) <= min(MOST_TRIED, self.each[0].room)


@dataclass(frozen=True, init=False)
class TableKeys(Choice):
    """The keys of a table, and what is none, of which each is tried where they are not too many.

    Attributes:
        room: how many the inputs of a comparison hold.
    """

    room: int

    @classmethod
    def of(cls, values: Sequence[float | str], room: int) -> TableKeys:
        """The domain of these values, each once."""
        keys = cls(*dict.fromkeys(values))
        object.__setattr__(keys, "room", room)
        return keys

    @property
    def are_all_tried(self) -> bool:
        """Whether each is among the points, and the inputs hold them all."""
        return len(self.values) <= min(MOST_TRIED, self.room)

    def points(self) -> Sequence[float | str]:  # noqa: D102  see Domain
        return self.values if len(self.values) <= MOST_TRIED else ()
