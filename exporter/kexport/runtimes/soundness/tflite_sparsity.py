"""Tensors that are stored without zeros: the kernels follow segments and indices wherever these lead.

The axes, and after them the axes of blocks, are traversed in an order. A dense axis has all of its elements; a sparse
one has, for each element of what was traversed before, a segment of a list of indices.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from kexport.runtimes.soundness import tflite_schema as schema
from kexport.runtimes.soundness.flatbuffer import Flatbuffer, Value, integer, numbers
from kexport.runtimes.soundness.flaw import FlawError

_LETTERS = {2: "H", 3: "B"}  # of the vectors that are not of 32 bits


class SparsityReader:
    """Reads how one tensor is stored.

    Args:
        buffer: the file.
        place: what messages call the tensor.
        shape: of the tensor.
    """

    def __init__(self, buffer: Flatbuffer, place: str, shape: Sequence[int]) -> None:
        self._buffer = buffer
        self._place = f"the sparsity of {place}"
        self._shape = shape

    def stored(self, position: int) -> int:
        """The number of elements that its data must hold.

        Args:
            position: of the table.

        Raises:
            FlawError: segments or indices lead beyond the tensor.
        """
        order, blocks, tables = map(numbers, self._buffer.read(position, schema.SPARSITY))
        axes, total = len(self._shape), len(tables)
        ordered = sorted(order[:axes]) == list(range(axes)) and list(order[axes:]) == list(range(axes, total))
        self._require(ordered and total == axes + len(blocks), f"order {order}", f"{axes} axes and their blocks")
        growing = all(low < high for low, high in itertools.pairwise(blocks))
        self._require(growing and all(0 <= axis < axes for axis in blocks), f"blocks {blocks}", f"of {axes} axes")
        dimensions = [self._buffer.read(table, schema.DIMENSION) for table in tables]
        if axes == 2:  # what a kernel takes for granted that multiplies by such a matrix
            kinds = [integer(sparse) for sparse, *_ in dimensions[:2]]
            self._require(kinds == [0, 1], f"axes of the kinds {kinds}", "a dense and a sparse one")
        sizes = list(self._shape)
        for axis, (sparse, size, *_) in zip(blocks, dimensions[axes:], strict=True):
            length = integer(size)
            self._require(not sparse and length > 0, f"blocks of {length}", "dense ones that hold elements")
            self._require(sizes[axis] % length == 0, f"blocks of {length}", f"a part of {sizes[axis]}")
            sizes[axis] //= length
            sizes.append(length)
        count = 1
        for axis, (sparse, size, *lists) in zip(order, dimensions, strict=True):
            if sparse:
                count = self._traversed(count, sizes[axis], *map(self._list, lists[::2], lists[1::2]))
            else:
                self._require(integer(size) == sizes[axis], f"{size} elements", f"{sizes[axis]} along axis {axis}")
                count *= sizes[axis]
        return count

    def _traversed(self, count: int, size: int, segments: Sequence[int], indices: Sequence[int]) -> int:
        """The number of elements behind a sparse axis of that size, when there are so many before it."""
        ordered = all(low <= high for low, high in itertools.pairwise(segments))
        whole = len(segments) == count + 1 and segments[0] == 0 and segments[-1] == len(indices)
        self._require(ordered and whole, f"segments {segments[:8]}", f"{count} of {len(indices)} indices")
        inside = not indices or (min(indices) >= 0 and max(indices) < size)
        self._require(inside, f"indices {indices[:8]}", f"below {size}")
        return len(indices)

    def _list(self, kind: Value, position: Value) -> tuple[int, ...]:
        layout = schema.INDICES.get(integer(kind))
        if layout is None or position is None:
            raise FlawError(self._place, "an axis without its indices", "segments and indices")
        (values,) = self._buffer.read(integer(position), layout)
        letter = _LETTERS.get(integer(kind))
        return self._buffer.words(values, letter) if letter else numbers(values)

    def _require(self, condition: bool, got: str, expected: str) -> None:
        if not condition:
            raise FlawError(self._place, got, expected)
