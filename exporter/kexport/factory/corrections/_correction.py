"""What every correction is: a change to Keras that lasts while a model is traced."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from kexport import registry

FOLDER = "factory/corrections"


@dataclass
class Record:
    """What corrections leave for the lowerings, and for refusals, to know.

    Attributes:
        recurrent: of each function that computes a recurrent layer, by its name: the layer's settings.
        scopes: of each scope in the graph: the layers and operations that opened it, several where functions that the
            graph calls have scopes of the same name.
    """

    recurrent: dict[str, dict[str, Any]] = field(default_factory=dict)
    scopes: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Correction:
    """One change to Keras.

    Attributes:
        name: the name of its file.
        active: the context in which the change holds.
    """

    name: str
    active: Callable[[Record], AbstractContextManager[None]]


@contextlib.contextmanager
def all_active() -> Iterator[Record]:
    """Within the block, every correction holds."""
    record = Record()
    with contextlib.ExitStack() as stack:
        for name in registry.names(FOLDER):
            correction: Correction = registry.get(FOLDER, name, "CORRECTION")
            stack.enter_context(correction.active(record))
        yield record
