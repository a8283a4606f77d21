"""How far an integer input of bare files reaches: an index into a table is refused beyond its last row."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.domain import Ints
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import UncheckedError
from kexport.field.remote import RemoteSession, RuntimeFailedError
from kexport.parity import listed_values

_FARTHEST = 1 << 20  # what takes this as well is no index
_TRIED = 1 << 16  # rows at most of which each is tried: that takes a call for each 4,096 of them
_SECONDS = 2.0  # for one input; what a number makes slow is a size
#: How runtimes refuse an index; a size is refused for want of memory.
_NO_ROW = re.compile(r"out of (data )?(bounds|range)|invalid ind(ex|ices)", re.I)


@dataclass(frozen=True)
class TableRows(Ints):
    """The rows of a table, of which each is tried where they are not too many.

    Attributes:
        room: how many the inputs of a comparison hold.
    """

    room: int = _TRIED

    @property
    def are_all_tried(self) -> bool:
        """Whether each is among the points, and the inputs hold them all."""
        return self.high - self.low <= min(_TRIED, self.room)

    def points(self) -> Sequence[float | str]:  # noqa: D102  see Domain
        return range(self.low, self.high) if self.are_all_tried else ()


def accepted_integers(
    sessions: Sequence[RemoteSession], feeds: Mapping[str, Array], specs: Sequence[TensorSpec]
) -> dict[str, TableRows]:
    """For each input that the models refuse as an index from some number on: all from 0 up to that number.

    Args:
        sessions: of both models, by the names of the inputs that they share.
        feeds: an input that both take.
        specs: the integer inputs of which nothing is known.
    """
    found: dict[str, TableRows] = {}
    for spec in specs:
        try:
            count = _count(sessions, feeds, spec.name)
        except UncheckedError:  # it takes too much of time or memory
            continue
        if count > 2:
            found[spec.name] = TableRows(0, count, listed_values.room_for(spec))
    return found


def _count(sessions: Sequence[RemoteSession], feeds: Mapping[str, Array], name: str) -> int:
    """The first number that is refused as an index, if 1 is not; 0 where none is."""
    until = time.monotonic() + _SECONDS
    taken, refused = 1, 2
    while not (why := _refusal(sessions, feeds, name, refused)):
        taken, refused = refused, 2 * refused
        if refused > _FARTHEST or time.monotonic() > until:
            return 0
    while refused - taken > 1:
        middle = (taken + refused) // 2
        if other := _refusal(sessions, feeds, name, middle):
            why, refused = other, middle
        else:
            taken = middle
    return refused if _NO_ROW.search(why) else 0


def _refusal(sessions: Sequence[RemoteSession], feeds: Mapping[str, Array], name: str, number: int) -> str:
    """Why one of the models does not take the number in every place of the input; empty where both do."""
    call = {**feeds, name: np.full_like(feeds[name], number)}
    try:
        for session in sessions:
            session.run([call])
    except RuntimeFailedError as error:
        return str(error) or "refused"
    return ""
