"""What every lowering is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kexport import registry

FOLDER = "factory/lowerings"


@dataclass(frozen=True)
class Lowering:
    """A rule that replaces one operation of a TensorFlow graph by others which compute the same.

    Attributes:
        name: the name of its file.
        formats: those whose converters need it; none for one that is asked for by name.
        ops: types of the operations it may replace, as in TensorFlow's registry (`"Erfc"`).
        applies: whether it replaces this one; gets the operation of the traced graph and its new inputs, whose
            static shapes are the ones to look at.
        emit: gets the same, adds operations to the current default graph, and returns the new outputs. What it
            emits is not lowered again.
        on_complex: whether it is for operations that take or give complex numbers; no other lowering gets these, whose
            tensors may be `Pair`s.
    """

    name: str
    formats: tuple[str, ...]
    ops: tuple[str, ...]
    emit: Callable[[Any, Sequence[Any]], Sequence[Any]]
    applies: Callable[[Any, Sequence[Any]], bool] = lambda op, inputs: True
    on_complex: bool = False


@dataclass(frozen=True)
class Missing:
    """An output that a lowering cannot give: the model is refused if anything uses it."""

    kind: str
    why: str


def names() -> list[str]:
    """All lowerings."""
    return registry.names(FOLDER)


def get(name: str) -> Lowering:
    """The lowering of that name."""
    return registry.get(FOLDER, name, Lowering, "LOWERING")


def needed_by(format_name: str, also: Sequence[str] = ()) -> dict[str, list[Lowering]]:
    """The lowerings that a format's converter needs, and others by name, by the type of operation."""
    found: dict[str, list[Lowering]] = {}
    for lowering in map(get, names()):
        if format_name in lowering.formats or lowering.name in also:
            for op in lowering.ops:
                found.setdefault(op, []).append(lowering)
    return found
