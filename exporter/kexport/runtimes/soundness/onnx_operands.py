"""A node of an ONNX graph with what is known of its inputs, and arithmetic of sizes, of which some are only bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from kexport.runtimes.soundness.onnx_rows import NodeRow
from kexport.runtimes.soundness.onnx_tensors import Dims, Known


class Operands(NamedTuple):
    """A node, and what is known of its inputs.

    Attributes:
        node: the node.
        given: what is known of each input.
    """

    node: NodeRow
    given: Sequence[Known]

    def dims(self, index: int = 0) -> Dims | None:
        """The sizes of an input; None where they are not known, or it is left out."""
        return self.given[index].dims if index < len(self.given) else None

    def numbers(self, index: int, attribute: str = "") -> list[Any] | None:
        """The numbers of a constant input, or of an attribute that stands for it in some version."""
        if index < len(self.given) and self.given[index].value is not None:
            return list(self.given[index].value.reshape(-1).tolist())
        held = self.node.attributes.get(attribute)
        return held if isinstance(held, list) else [held] if isinstance(held, int | float) else None

    def whole(self, attribute: str, default: int = 0) -> int:
        """An attribute that is an integer."""
        value = self.node.attributes.get(attribute, default)
        return value if isinstance(value, int) else default

    def many(self, attribute: str, count: int, default: int) -> list[int]:
        """An attribute that is a list of so many integers; the default for each where it is not."""
        values = self.node.attributes.get(attribute)
        return values if isinstance(values, list) and len(values) == count else [default] * count


#: From what is known of the inputs, the sizes of the first result.
Rule = Callable[[Operands], Dims | None]


def broadcast(shapes: Iterable[Dims | None]) -> Dims | None:
    """The sizes of what has the shape of all."""
    known: list[Dims] = []
    for shape in shapes:
        if shape is None:
            return None
        known.append(shape)
    rank = max(map(len, known), default=0)
    result = []
    for axis in range(-rank, 0):
        sizes = {shape[axis] for shape in known if len(shape) >= -axis} - {1}
        fixed = [size for size in sizes if size >= 0]
        result.append(max(fixed) if fixed else min(sizes, default=1))
    return tuple(result)


def scaled(size: int, factor: float, more: float = 0) -> int:
    """A size that is multiplied and grows, or only its least value where it varies."""
    if not math.isfinite(factor) or not math.isfinite(more):
        return -1
    new = int(abs(size) * factor + more)
    return max(new, 0) if size >= 0 else min(-new, -1)


def sizes_in(op: Operands, index: int, attribute: str = "") -> Dims | None:
    """Sizes that an input, or an attribute, lists; those that are none are the runtime's to refuse."""
    values = op.numbers(index, attribute)
    if values is not None:
        return tuple(max(int(value), -1) for value in values)
    listed = op.dims(index)
    return (-1,) * listed[0] if listed and 0 <= listed[0] < 64 else None
