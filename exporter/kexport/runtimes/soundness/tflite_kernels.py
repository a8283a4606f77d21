"""What single operators demand of their operands and options, as far as their kernels do not check it themselves."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.tflite_schema import INT32, INT64, OperatorRow, SubgraphRows, TensorRow

#: The fields of options that divide, or count elements.
_POSITIVE = ("stride_w", "stride_h", "stride_d", "dilation_w", "dilation_h", "dilation_d", "filter_width")
_SIZES = frozenset((*_POSITIVE, "filter_height", "block_size"))
_LARGEST_SIZE = 1 << 20
_ENUMERATIONS = {"padding": 2, "fused_activation_function": 6, "weights_format": 2, "mode": 2, "kernel_type": 2}


@dataclass(frozen=True)
class Node:
    """An operator with its operands.

    Attributes:
        place: what messages call it.
        row: the operator.
        tensors: those of its subgraph.
        content: the file.
    """

    place: str
    row: OperatorRow
    tensors: Sequence[TensorRow]
    content: memoryview

    def input(self, index: int) -> TensorRow | None:
        """An input; None where it is left out."""
        tensor = self.row.inputs[index] if index < len(self.row.inputs) else -1
        return self.tensors[tensor] if tensor >= 0 else None

    def values(self, index: int) -> tuple[int, ...] | None:
        """The numbers of a constant input of integers; None where they are known only at the call."""
        tensor = self.input(index)
        if tensor is None or tensor.constant is None or tensor.type not in (INT32, INT64):
            return None
        start, size = tensor.constant
        letter, width = ("i", 4) if tensor.type == INT32 else ("q", 8)
        return struct.unpack_from(f"<{min(size // width, 64)}{letter}", self.content, start)

    def require(self, condition: object, part: str, got: object, expected: str) -> None:
        """Raise `FlawError` unless the condition holds."""
        if not condition:
            raise FlawError(f"{part} of {self.place}", got, expected)


def check_kernels(subgraphs: Sequence[SubgraphRows], content: memoryview) -> None:
    """Raise `FlawError` where an operator would make its kernel crash."""
    for subgraph in subgraphs:
        for number, operator in enumerate(subgraph.operators):
            place = f"operator {number} of {subgraph.place} ({operator.name})"
            node = Node(place, operator, subgraph.tensors, content)
            if operator.options:
                _check_options(node)
            check = _CHECKS.get(operator.name)
            if check is not None:
                check(node)


def _check_options(node: Node) -> None:
    for field, value in node.row.options.items():
        if not isinstance(value, int):
            continue
        if field in _SIZES:
            node.require(1 <= value <= _LARGEST_SIZE, f"the {field}", value, "at least 1")
        elif field in _ENUMERATIONS:
            node.require(0 <= value < _ENUMERATIONS[field], f"the {field}", value, f"below {_ENUMERATIONS[field]}")


def _check_split(node: Node) -> None:
    for field in ("num_splits", "num"):
        count = node.row.options.get(field, len(node.row.outputs))
        node.require(count == len(node.row.outputs), f"the {field}", count, f"{len(node.row.outputs)}, its outputs")


def _check_pack(node: Node) -> None:
    count = node.row.options.get("values_count", len(node.row.inputs))
    node.require(count == len(node.row.inputs), "the values_count", count, f"{len(node.row.inputs)}, its inputs")


def _check_strided_slice(node: Node) -> None:
    """LiteRT's kernel crashes on an end that counts from the begin, whatever it is."""
    node.require(not node.row.options.get("offset"), "the end", "an offset from the begin", "a position")


def _check_reshape(node: Node) -> None:
    """The sizes are copied into memory for as many as the output has."""
    shape, result = node.input(1), node.tensors[node.row.outputs[0]]
    if shape is None or shape.constant is None or shape.shape[:1] == (0,):
        return
    count = math.prod(shape.shape)
    node.require(count == len(result.shape), "the new shape", f"{count} sizes", f"{len(result.shape)}, as its output")


def _check_weights(node: Node) -> None:
    """The number of rows is divided by a size of the weights."""
    weights = node.input(1)
    if weights is not None:
        node.require(0 not in weights.shape, "the weights", f"shape {weights.shape}", "no size 0")


def _check_axes(node: Node) -> None:
    """The first axis is read without a look at how many there are."""
    axes = node.input(1)
    node.require(axes is None or 0 not in axes.shape, "the axes", "none", "at least one")


_CHECKS: dict[str, Callable[[Node], None]] = {
    "SPLIT": _check_split,
    "SPLIT_V": _check_split,
    "UNPACK": _check_split,
    "PACK": _check_pack,
    "RESHAPE": _check_reshape,
    "REVERSE_V2": _check_axes,
    "STRIDED_SLICE": _check_strided_slice,
    "FULLY_CONNECTED": _check_weights,
    "CONV_2D": _check_weights,
    "DEPTHWISE_CONV_2D": _check_weights,
    "CONV_3D": _check_weights,
    "TRANSPOSE_CONV": _check_weights,
}
