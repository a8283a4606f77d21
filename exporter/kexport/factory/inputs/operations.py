"""What operations of the traced graph know of their inputs, whatever layer they belong to, or none at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from kexport.bundle.domain import Ints
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.inputs import vocabulary
from kexport.factory.inputs.knowledge import Knowledge, bins
from kexport.factory.inputs.origins import Origins
from kexport.factory.trace.program import Program

_LARGEST = 1 << 31


def known(program: Program, origins: Origins) -> Iterator[tuple[Tensor, Knowledge]]:
    """The tensors of which an operation of a program knows something, and what it knows."""
    tables = _Tables(program, origins)
    for operation in origins.operations:
        if operation.type == "LookupTableFindV2":
            found, place = tables.of(operation), 1
        elif operation.type in _KINDS:
            find, place = _KINDS[operation.type]
            found = find(operation)
        else:
            continue
        if found is not None:
            yield operation.inputs[place], found


def _rows(operation: Operation) -> Knowledge | None:
    """A gather along an axis of known size takes no index beyond it."""
    axis = _constant(operation.inputs[2])
    shape = operation.inputs[0].shape
    size = shape[int(axis)] if axis is not None and shape.rank is not None else None
    if size is None or operation.inputs[1].op.type == "Const":
        return None
    return Knowledge("the number of rows that it chooses from", Ints(0, max(1, int(size))), strict=True)


def _depth(operation: Operation) -> Knowledge | None:
    depth = _constant(operation.inputs[1])
    return None if depth is None or depth < 1 else Knowledge("the depth of a one-hot encoding", Ints(0, int(depth)))


def _edges(operation: Operation) -> Knowledge | None:
    return bins(operation.get_attr("boundaries"), "the span of bins")


def _divisor(operation: Operation) -> Knowledge | None:
    """An integer that is divided with a remainder: quotients of one digit, and every remainder."""
    divisor = _constant(operation.inputs[1])
    if divisor is None or not operation.inputs[0].dtype.is_integer or not 0 < divisor < _LARGEST // 16:
        return None
    return Knowledge(f"of ten quotients of {int(divisor)}, by which it is divided", Ints(0, 10 * int(divisor)))


_KINDS: dict[str, tuple[Callable[[Operation], Knowledge | None], int]] = {
    "GatherV2": (_rows, 1),
    "OneHot": (_depth, 0),
    "Bucketize": (_edges, 0),
    **dict.fromkeys(("FloorMod", "FloorDiv", "Mod", "TruncateDiv", "TruncateMod"), (_divisor, 0)),
}


class _Tables:
    """The keys of the lookup tables that a program captures."""

    def __init__(self, program: Program, origins: Origins) -> None:
        self._program = program
        self._origins = origins
        self._handles = {id(inner): outer for outer, inner in program.core.graph.captures}

    def of(self, operation: Operation) -> Knowledge | None:
        """What the table of a lookup knows."""
        handle = self._handles.get(id(self._origins.given(operation.inputs[0])))
        entries = None if handle is None else self._program.entries(handle)
        if entries is None:
            return None
        keys = entries[0].ravel()
        if keys.dtype.kind in "iu":
            domain = vocabulary.of_integers(keys.tolist(), 2)
        elif keys.dtype.kind in "OSU":
            texts = [key.decode(errors="surrogateescape") if isinstance(key, bytes) else str(key) for key in keys]
            domain = vocabulary.of_texts(sorted(texts), 2)
        else:
            domain = None
        return None if domain is None else Knowledge("keys of a lookup table, and unknown ones", domain)


def _constant(tensor: Tensor) -> float | None:
    import tensorflow as tf

    found = tf.get_static_value(tensor)
    value = None if found is None else np.asarray(found)
    return None if value is None or value.size != 1 or value.dtype.kind not in "iuf" else float(value.item())
