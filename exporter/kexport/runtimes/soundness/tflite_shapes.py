"""Shapes that operators of TFLite take for granted, and what constants among their operands would take."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from kexport.runtimes.soundness.flatbuffer import numbers
from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.tflite_operators import kind_of
from kexport.runtimes.soundness.tflite_schema import OperatorRow, SubgraphRows, TensorRow

_PAIRS = frozenset({"TT>T", "TT>b", "AA>b", "bb>b"})
_LARGEST = 1 << 27  # elements of what is computed: half a gigabyte of floats
#: The input that lists the sizes of the result, or of a part of it.
_SIZES = {
    "BROADCAST_TO": 1,
    "CONV_3D_TRANSPOSE": 0,
    "FILL": 0,
    "RANDOM_STANDARD_NORMAL": 0,
    "RANDOM_UNIFORM": 0,
    "RESIZE_BILINEAR": 1,
    "RESIZE_NEAREST_NEIGHBOR": 1,
    "RFFT2D": 1,
    "SCATTER_ND": 2,
    "SPARSE_TO_DENSE": 1,
    "TRANSPOSE_CONV": 0,
}
_SAME = frozenset({"DENSIFY", "DEQUANTIZE"})
_LONGEST_TRANSFORM = 1 << 20
_MOST_AXES = 16


def check_shapes(
    place: str, operator: OperatorRow, tensors: Sequence[TensorRow], values: Sequence[tuple[int, ...] | None]
) -> None:
    """Raise `FlawError` where the operands of an operator do not fit each other, or its result would be too large.

    Args:
        place: what messages call the operator.
        operator: the operator.
        tensors: those of its subgraph.
        values: the numbers of each input that is a constant list of integers.
    """
    shapes = [tensors[index].shape for index in operator.inputs if index >= 0]
    kind = kind_of(operator.code)
    if kind is not None and kind.types in _PAIRS and len(shapes) == 2:
        _require_broadcast(place, *shapes)
    if operator.name in _SAME and tensors[operator.inputs[0]].constant:
        result = tensors[operator.outputs[0]].shape
        if result != shapes[0]:
            raise FlawError(f"the result of {place}", f"shape {result}", f"that of its input, {shapes[0]}")
    listed = operator.inputs[_SIZES[operator.name]] if operator.name in _SIZES else -1
    if listed >= 0 and math.prod(tensors[listed].shape) > _MOST_AXES:
        raise FlawError(f"the sizes of {place}", f"{math.prod(tensors[listed].shape)}", f"at most {_MOST_AXES}")
    extent = _extent(operator, shapes, values)
    most = _LONGEST_TRANSFORM if operator.name == "RFFT2D" else _LARGEST
    if extent > most:
        raise FlawError(f"the size of the result of {place}", f"{extent} elements", f"at most {most}")
    if operator.name == "BROADCAST_ARGS" and values[0] is not None and values[1] is not None:
        _require_broadcast(place, values[0], values[1], fitting=(1,))


def _require_broadcast(
    place: str, left: tuple[int, ...], right: tuple[int, ...], fitting: tuple[int, ...] = (1, -1)
) -> None:
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one != other and one not in fitting and other not in fitting:
            raise FlawError(
                f"the inputs of {place}", f"shapes {left} and {right}", "shapes of which one fills the other"
            )


def _extent(operator: OperatorRow, shapes: Sequence[tuple[int, ...]], values: Sequence[tuple[int, ...] | None]) -> int:
    """The elements of the result at least, as far as constants say; 0 where they say nothing."""
    name, held = operator.name, values[_SIZES[operator.name]] if operator.name in _SIZES else None
    if held is not None:
        return abs(math.prod(held))
    if name == "TILE" and values[1] is not None:
        return abs(math.prod(shapes[0]) * math.prod(values[1]))
    if name == "ONE_HOT" and values[1]:
        return abs(math.prod(shapes[0]) * values[1][0])
    if name == "RANGE" and all(values):
        (start, *_), (limit, *_), (step, *_) = (each or (0,) for each in values)
        return abs((limit - start) // step) if step else 0
    if name in ("PAD", "PADV2", "MIRROR_PAD") and values[1] is not None:
        pads = itertools.zip_longest(shapes[0], values[1][::2], values[1][1::2], fillvalue=0)
        return abs(math.prod(size + before + after for size, before, after in pads))
    return 0


def check_variables(subgraphs: Sequence[SubgraphRows], content: memoryview) -> None:
    """Raise `FlawError` where what is written to a variable has another type or shape than what is read from it."""
    shapes: dict[bytes, tuple[int, tuple[int, ...]]] = {}
    for subgraph in subgraphs:
        handles: dict[int, bytes] = {}
        for number, operator in enumerate(subgraph.operators):
            if operator.name == "VAR_HANDLE":
                start, size = numbers(operator.options.get("shared_name"))  # containers are all one to XNNPACK
                handles[operator.outputs[0]] = bytes(content[start : start + size])
            elif operator.name in ("READ_VARIABLE", "ASSIGN_VARIABLE") and operator.inputs[0] in handles:
                reads = operator.name == "READ_VARIABLE"
                tensor = subgraph.tensors[operator.outputs[0] if reads else operator.inputs[1]]
                found = tensor.type, tensor.shape
                expected = shapes.setdefault(handles[operator.inputs[0]], found)
                if found != expected:
                    place = f"operator {number} of {subgraph.place} ({operator.name})"
                    raise FlawError(f"the variable of {place}", f"shape {found[1]}", f"shape {expected[1]}, one type")


def check_loops(subgraphs: Sequence[SubgraphRows]) -> None:
    """Raise `FlawError` where no turn of a loop changes what its condition looks at."""
    for subgraph in subgraphs:
        for number, operator in enumerate(subgraph.operators):
            if operator.name != "WHILE":
                continue
            condition, body = (
                subgraphs[int(str(operator.options[field]))] for field in ("cond_subgraph_index", "body_subgraph_index")
            )
            seen = _inputs_behind(condition)
            if seen is not None and all(body.outputs[place] == body.inputs[place] for place in seen):
                place = f"operator {number} of {subgraph.place} (WHILE)"
                raise FlawError(f"the end of {place}", "a condition that no turn changes", "one that ends it")


def _inputs_behind(subgraph: SubgraphRows) -> set[int] | None:
    """The places of the inputs on which the outputs depend; None where they depend on something else too."""
    behind: dict[int, set[int]] = {tensor: {place} for place, tensor in enumerate(subgraph.inputs)}
    for operator in subgraph.operators:
        if not operator.inputs or operator.name.startswith(("READ_", "RANDOM_", "MULTINOMIAL", "HASHTABLE")):
            return None
        found = set[int]().union(*(behind.get(tensor, ()) for tensor in operator.inputs))
        behind.update(dict.fromkeys(operator.outputs, found))
    return set[int]().union(*(behind.get(tensor, ()) for tensor in subgraph.outputs))
