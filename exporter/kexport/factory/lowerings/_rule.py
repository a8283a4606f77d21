"""The rule of a lowering, and the order in which several lowerings of one operation are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from kexport import registry
from kexport.factory.graph.protocols import Operation

FOLDER = "factory/lowerings"


@dataclass(frozen=True)
class Lowering:
    """A rule that replaces one operation of a TensorFlow graph by others which compute the same.

    Its `emit` may rely on what its `applies` has checked. The outputs are checked against those of the replaced
    operation: as many, with the same dtypes and compatible static shapes.

    Attributes:
        name: the name of its file.
        formats: those whose converters need it; none for a lowering that is asked for by name.
        ops: types of the operations it may replace, as in TensorFlow's registry (`"Erfc"`).
        emit: gets the operation of the traced graph, or a `Recurrence`, and the new inputs; adds operations to the
            current default graph, and returns the new outputs. What it emits is not lowered again, but for what
            `relowers` says. An output may be a `ComplexPair`, a `Reserved` list or a `Missing` instead of a tensor.
        applies: whether it replaces this operation; gets the same. Static shapes are to be read off the new inputs.
        on_complex: whether it is for operations that take or give complex numbers; no other lowering gets these, whose
            tensors may be `ComplexPair`s.
        before: names of the lowerings that are asked after this one, where both may replace an operation.
        narrowed: dtypes of outputs that it may give in another dtype, by name, with that dtype; whatever takes such an
            output has then to be replaced by the same lowering.
        inner: for a lowering that replaces several operations together, whether this is one but the last of them, so
            that the sizes of its outputs may differ.
        relowers: whether `emit` gets a third argument: a function that lowers an operation which it has emitted, on
            tensors of real numbers, and gives its outputs.
    """

    name: str
    formats: tuple[str, ...]
    ops: tuple[str, ...]
    emit: Callable[..., Sequence[object]]
    applies: Callable[[Any, Sequence[Any]], bool] = lambda op, inputs: True
    on_complex: bool = False
    before: tuple[str, ...] = ()
    narrowed: Mapping[str, str] = field(default_factory=dict)
    inner: Callable[[Operation], bool] | None = None
    relowers: bool = False

    def emitted(
        self, subject: object, inputs: Sequence[Any], lowerings: Mapping[str, Sequence[Lowering]]
    ) -> Sequence[object]:
        """The new outputs.

        Args:
            subject: the operation, or a `Recurrence`.
            inputs: the new inputs.
            lowerings: those of the format, by type of operation.
        """

        def again(op: Operation) -> Sequence[object]:
            given = list(op.inputs)
            for lowering in lowerings.get(op.type, ()):
                if not lowering.on_complex and lowering.applies(op, given):
                    return lowering.emitted(op, given, lowerings)
            return list(op.outputs)

        return self.emit(subject, inputs, again) if self.relowers else self.emit(subject, inputs)


class UnsupportedError(Exception):
    """An operation, or what it works on, that a format cannot represent; the reason is its text.

    Args:
        why: the reason.
        kind: the type of the operation at fault, where that is not the one at work.
    """

    def __init__(self, why: str, kind: str = "") -> None:
        super().__init__(why)
        self.kind = kind


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
    """The lowerings that a format's converter needs, and others by name, by type of operation, in stated order.

    Raises:
        ValueError: two lowerings claim the same operations, and neither, or each, is stated to come before the other.
    """
    claimants: dict[str, list[Lowering]] = {}
    for lowering in map(get, names()):
        if format_name in lowering.formats or lowering.name in also:
            for op in lowering.ops:
                claimants.setdefault(op, []).append(lowering)
    return {op: in_order(op, lowerings) for op, lowerings in claimants.items()}


def in_order(op: str, lowerings: Sequence[Lowering]) -> list[Lowering]:
    """The claimants of an operation in the order that their `before` states, whatever the order they are given in.

    Raises:
        ValueError: the order of two of them is not stated, or contradictory.
    """
    followers = {lowering.name: 0 for lowering in lowerings}
    for one, other in combinations(lowerings, 2):
        first = [each for each, rival in ((one, other), (other, one)) if _precedes(each, rival)]
        if len(first) != 1:
            raise ValueError(
                f"lowerings {one.name} and {other.name} both claim {op}: one must state `before` the other"
            )
        followers[first[0].name] += 1
    if len(set(followers.values())) != len(followers):
        raise ValueError(f"the `before` of the lowerings of {op} form a cycle: {', '.join(sorted(followers))}")
    return sorted(lowerings, key=lambda lowering: -followers[lowering.name])


def _precedes(lowering: Lowering, other: Lowering) -> bool:
    """Whether a lowering is asked before another: those on complex numbers first, as they get other operations."""
    return lowering.on_complex if lowering.on_complex != other.on_complex else other.name in lowering.before
