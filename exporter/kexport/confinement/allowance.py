"""How much memory and time the tensors of a model may take, where nothing but its runtime limits them.

The limits are those of a confined process: they follow from the sizes of the artifact and of what a call gives.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterator
from contextvars import ContextVar

from kexport.confinement.limits import Confinement, seconds_of

_TENSORS = 4  # of the largest size, which a runtime holds at a time

# Ambient, because the opener of a runtime takes an artifact and its signature alone.
_raised: ContextVar[int] = ContextVar("_raised", default=0)


@contextlib.contextmanager
def raised(max_bytes: int, *, unlimited: bool = False) -> Iterator[None]:
    """Within the block, models are loaded with limits that are at least so high."""
    token = _raised.set(sys.maxsize if unlimited else max_bytes)
    try:
        yield
    finally:
        _raised.reset(token)


def most_of_a_call(weights: int, data: int) -> int:
    """The bytes that a call may take, from those of the artifact and of the inputs."""
    return max(Confinement.of(weights, data).memory, _raised.get())


def most_of_a_tensor(weights: int, data: int) -> int:
    """The bytes that one tensor may take, from those of the artifact and of the inputs."""
    return max(Confinement.of(weights, data).memory // _TENSORS, _raised.get())


def most_seconds(weights: int, data: int) -> float:
    """The seconds of a core that a call may take, from the bytes of the artifact and of the inputs."""
    return math.inf if _raised.get() == sys.maxsize else seconds_of(weights, data)
