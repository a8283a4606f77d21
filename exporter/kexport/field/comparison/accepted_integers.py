"""How far an integer input of bare files reaches: an index into a table is refused beyond its last row."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np

from kexport.bundle.domain import Domain, Ints
from kexport.bundle.signature import Array, TensorSpec
from kexport.field.remote import RemoteSession, RuntimeFailedError

_FARTHEST = 1 << 20  # what takes this as well is no index
_SECONDS = 2.0  # for one input; what a number makes slow is no index either


def accepted_integers(
    sessions: Sequence[RemoteSession], feeds: Mapping[str, Array], specs: Sequence[TensorSpec]
) -> dict[str, Domain]:
    """For each input that the models refuse from some number on: all from 0 up to that number.

    Args:
        sessions: of both models, by the names of the inputs that they share.
        feeds: an input that both take.
        specs: the integer inputs of which nothing is known.
    """
    found: dict[str, Domain] = {}
    for spec in specs:
        count = _count(sessions, feeds, spec.name)
        if count > 2:
            found[spec.name] = Ints(0, count)
    return found


def _count(sessions: Sequence[RemoteSession], feeds: Mapping[str, Array], name: str) -> int:
    """The first number that is refused, if 1 is not; 0 where none is."""
    until = time.monotonic() + _SECONDS
    taken, refused = 1, 2
    while _take(sessions, feeds, name, refused):
        taken, refused = refused, 2 * refused
        if refused > _FARTHEST or time.monotonic() > until:
            return 0
    while refused - taken > 1:
        middle = (taken + refused) // 2
        if _take(sessions, feeds, name, middle):
            taken = middle
        else:
            refused = middle
    return refused


def _take(sessions: Sequence[RemoteSession], feeds: Mapping[str, Array], name: str, number: int) -> bool:
    """Whether both models take the number, in every place of the input."""
    call = {**feeds, name: np.full_like(feeds[name], number)}
    try:
        for session in sessions:
            session.run([call])
    except RuntimeFailedError:
        return False
    return True
