"""How far an index into a table reaches that bare files take: beyond the last row it is refused."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import UncheckedError
from kexport.field.remote import RemoteSession, RuntimeFailedError
from kexport.parity import listed_values
from kexport.parity.table_rows import TableCells, TableRows

_FARTHEST = 1 << 20  # what takes this as well is no index
_MOST_COLUMNS = 16  # of an input whose last axis may hold an index for each axis of a table
_WIDE = 4  # bytes of an integer that is rather an index than a pixel
_SECONDS = 2.0  # for one input; what a number makes slow is a size
#: How runtimes refuse an index; a size is refused for want of memory.
_NO_ROW = re.compile(
    r"out of (data )?(bounds|range)|invalid ind(ex|ices)|does not index into|is not in \[0, ?\d+\)", re.I
)

#: Why a number is refused; empty where it is taken.
_Refusal = Callable[[int], str]


def accepted_integers(
    sessions: Sequence[RemoteSession], feeds: Mapping[str, Array], specs: Sequence[TensorSpec]
) -> dict[str, TableRows | TableCells]:
    """For each input that the models refuse as an index from some number on: all from 0 up to that number.

    Args:
        sessions: of both models, by the names of the inputs that they share.
        feeds: an input that both take.
        specs: the inputs of which nothing is known; those of real numbers may hold whole ones.
    """
    wide = [spec for spec in specs if spec.numpy_dtype.kind in "iu" and spec.numpy_dtype.itemsize >= _WIDE]
    others = [spec for spec in specs if spec.numpy_dtype.kind in "iuf" and spec not in wide]
    # Most of the others are no indices, and one call tells.
    far = {spec.name: np.full_like(feeds[spec.name], _most(spec)) for spec in others}
    asked = [*wide, *others] if far and _NO_ROW.search(_why(sessions, {**feeds, **far})) else wide
    found: dict[str, TableRows | TableCells] = {}
    for spec in asked:
        try:
            rows = _rows(sessions, feeds, spec)
        except UncheckedError:  # it takes too much of time or memory
            continue
        if rows is not None:
            found[spec.name] = rows
    return found


def _rows(
    sessions: Sequence[RemoteSession], feeds: Mapping[str, Array], spec: TensorSpec
) -> TableRows | TableCells | None:
    """What both take of one input; None where it is no index."""

    def call(number: int) -> dict[str, Array]:
        return {**feeds, spec.name: np.full_like(feeds[spec.name], number)}

    def everywhere(number: int) -> str:
        return _why(sessions, call(number))

    count = _count(everywhere, 0, _most(spec))
    if count == 1 and not all(_why([session], call(count)) for session in sessions):
        return None  # one of them alone has a single row: the default tells
    columns = spec.shape[-1] if len(spec.shape) > 1 else None
    if not count:
        return None
    room = listed_values.room_for(spec)
    if columns is None or not 1 < columns <= _MOST_COLUMNS:
        return TableRows(0, count, room)

    def in_column(column: int) -> _Refusal:
        def refusal(number: int) -> str:
            value = np.zeros_like(feeds[spec.name])
            value[..., column] = number
            return _why(sessions, {**feeds, spec.name: value})

        return refusal

    # An axis of the table of its own for each column, or rows of one table in all of them.
    counts = [count if why(count) else _count(why, count, _most(spec)) for why in map(in_column, range(columns))]
    if len(set(counts)) == 1:
        return TableRows(0, count, room)
    return TableCells(*(TableRows(0, each or count, room // columns) for each in counts))


def _most(spec: TensorSpec) -> int:
    """The largest number to try that the dtype can represent."""
    if spec.is_float:
        return min(_FARTHEST, int(2 / np.finfo(spec.numpy_dtype).eps))
    return min(_FARTHEST, int(np.iinfo(spec.numpy_dtype).max))


def _count(why: _Refusal, taken: int, most: int) -> int:
    """The first number beyond one that is taken that is refused as an index; 0 where none is."""
    until = time.monotonic() + _SECONDS
    refused = max(1, 2 * taken)
    while not (reason := why(min(refused, most))):
        if refused >= most or time.monotonic() > until:
            return 0
        taken, refused = refused, 2 * refused
    refused = min(refused, most)
    while refused - taken > 1:
        middle = (taken + refused) // 2
        if other := why(middle):
            reason, refused = other, middle
        else:
            taken = middle
    return refused if _NO_ROW.search(reason) else 0


def _why(sessions: Sequence[RemoteSession], call: Mapping[str, Array]) -> str:
    """Why one of the models does not take an input; empty where both do."""
    try:
        for session in sessions:
            session.run([dict(call)])
    except RuntimeFailedError as error:
        return str(error) or "refused"
    return ""
