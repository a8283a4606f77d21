"""Corrections: changes to Keras that last while a model is traced."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypedDict

from kexport import registry

FOLDER = "factory/corrections"


class RecurrentSettings(TypedDict):
    """The settings of a recurrent layer that is computed by a function of the graph.

    Attributes:
        kind: `"lstm"`, `"gru"` or `"rnn"`.
        units: the size of its output.
        states: the number of its states.
        masked: whether the last input of the function is a mask.
        activation: as Keras serialises it, like `recurrent_activation`, which a simple RNN lacks.
        unroll: whether the function has a copy of the step for each, instead of a loop; of an LSTM alone.
        captures: which weight each captured input of the function is; empty for one that is none.
    """

    kind: str
    units: int
    states: int
    masked: bool
    activation: object
    recurrent_activation: object
    reset_after: bool | None
    use_bias: bool
    unroll: bool
    go_backwards: bool
    return_sequences: bool
    zero_output_for_mask: bool
    captures: list[str]


@dataclass
class Record:
    """What corrections record for lowerings and for refusals.

    Attributes:
        recurrent: the settings of each recurrent layer, by the name of the function that computes it.
        scopes: the layers and operations that opened each scope of the graph; several where functions that the graph
            calls have scopes of the same name.
        calls: the layers that know something of their inputs, each with the tensors that it was called on.
    """

    recurrent: dict[str, RecurrentSettings] = field(default_factory=dict)
    scopes: dict[str, list[object]] = field(default_factory=dict)
    calls: list[tuple[object, Sequence[object]]] = field(default_factory=list)


@dataclass(frozen=True)
class Correction:
    """One change to Keras.

    Attributes:
        name: the name of its file.
        active: the context in which the change is in effect.
        encloses: whether it wraps the other corrections where they replace the same method.
    """

    name: str
    active: Callable[[Record], AbstractContextManager[None]]
    encloses: bool = False


@contextlib.contextmanager
def all_active() -> Iterator[Record]:
    """Within the block, every correction is in effect."""
    corrections = [registry.get(FOLDER, name, Correction, "CORRECTION") for name in registry.names(FOLDER)]
    record = Record()
    with contextlib.ExitStack() as stack:
        for correction in sorted(corrections, key=lambda each: each.encloses):
            stack.enter_context(correction.active(record))
        yield record
