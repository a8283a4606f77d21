"""What the operators of a TFLite file take together decides where a call of it is made."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from kexport.runtimes.soundness.tflite_bounds import decided_by_values
from kexport.runtimes.soundness.tflite_costs import CallLimits
from kexport.runtimes.soundness.tflite_schema import (
    INT8,
    INT16,
    INT32,
    OperatorRow,
    Quantization,
    SubgraphRows,
    TensorRow,
)

LIMITS = CallLimits(1 << 30, 6.0)
#: The bytes of a file: the numbers -1 and 3, and whether something is so.
CONTENT = struct.pack("<ii?", -1, 3, True)
MINUS_ONE, THREE, TRUE = (0, 4), (4, 4), (8, 1)
FLOAT, BOOL = 0, 6


def tensor(*shape: int, kind: int = FLOAT, constant: tuple[int, int] | None = None) -> TensorRow:
    return TensorRow(shape, kind, 0, constant, variable=False, sparse=False, quantization=None)


def operator(name: str, inputs: Sequence[int], output: int, **options: Any) -> OperatorRow:
    return OperatorRow(0, name, tuple(inputs), (output,), options)


def subgraph(tensors: Sequence[TensorRow], operators: Sequence[OperatorRow], inputs: int = 1) -> SubgraphRows:
    """A subgraph that takes its first tensors and gives the last one."""
    return SubgraphRows("the graph", tuple(tensors), tuple(range(inputs)), (len(tensors) - 1,), tuple(operators))


def found(*subgraphs: SubgraphRows, limits: CallLimits = LIMITS) -> str:
    return decided_by_values(subgraphs, memoryview(CONTENT), limits)


def chain(row: TensorRow, name: str, count: int, **options: Any) -> SubgraphRows:
    """Operators of which each takes what the one before made, twice."""
    rows = [operator(name, (at, at), at + 1, **options) for at in range(count)]
    return subgraph([row] * (count + 1), rows)


def divided(name: str, divisor: TensorRow, kind: int = INT32) -> SubgraphRows:
    whole = tensor(1, 8, kind=kind)
    return subgraph([whole, divisor, whole], [operator(name, (0, 1), 2)], 1 if divisor.constant else 2)


def pooled(window: int) -> SubgraphRows:
    image = tensor(1, 2000, 2000, 1)
    row = operator("AVERAGE_POOL_2D", (0,), 1, filter_height=window, filter_width=window)
    return subgraph([image, image], [row])


def doubling(depth: int) -> tuple[SubgraphRows, ...]:
    """Subgraphs of which each runs the next one twice."""
    true, value = tensor(kind=BOOL, constant=TRUE), tensor(1, 8)
    rows = []
    for at in range(depth):
        jump = {"then_subgraph_index": at + 1, "else_subgraph_index": at + 1}
        rows.append(subgraph([value, true, value, value],
                             [operator("IF", (1, 0), 2, **jump), operator("IF", (1, 2), 3, **jump)]))  # fmt: skip
    return (*rows, subgraph([value, value], [operator("NEG", (0,), 1)]))


def held(count: int) -> SubgraphRows:
    """Tensors that all wait for the last operator."""
    large = tensor(5000, 5000)
    rows = [operator("NEG", (0,), at + 1) for at in range(count)]
    return subgraph([large] * (count + 2), [*rows, operator("ADD_N", range(1, count + 1), count + 1)])


COSTLY: Mapping[str, tuple[tuple[SubgraphRows, ...], str]] = {
    "products": ((chain(tensor(6000, 6000), "BATCH_MATMUL", 20),), "BATCH_MATMUL"),
    "a large window": ((pooled(1500),), "AVERAGE_POOL_2D"),
    "subgraphs that double": (doubling(40), "graph"),
    "tensors at a time": ((held(20),), "NEG"),
    "the least integer by -1, if it is given": (
        (divided("FLOOR_MOD", tensor(kind=INT32, constant=MINUS_ONE)),), "FLOOR_MOD"),
    "an integer by another one": ((divided("FLOOR_MOD", tensor(kind=INT32)),), "FLOOR_MOD"),
}  # fmt: skip
CHEAP = {
    "products": (chain(tensor(60, 60), "BATCH_MATMUL", 20),),
    "a window": (pooled(3),),
    "subgraphs that double": doubling(6),
    "tensors one after another": (chain(tensor(5000, 5000), "NEG", 20),),
    "an integer by 3": (divided("FLOOR_MOD", tensor(kind=INT32, constant=THREE)),),
    "a real number by another one": (divided("FLOOR_MOD", tensor(), FLOAT),),
    "a quotient": (divided("FLOOR_DIV", tensor(kind=INT32)),),
}


@pytest.mark.parametrize("name", COSTLY)
def test_what_may_take_too_long_or_too_much_is_named(name: str) -> None:
    subgraphs, words = COSTLY[name]
    assert words in found(*subgraphs)


@pytest.mark.parametrize("name", CHEAP)
def test_what_takes_little_is_not(name: str) -> None:
    assert found(*CHEAP[name]) == ""


def test_reference_kernels_take_longer() -> None:
    products = chain(tensor(2000, 2000), "BATCH_MATMUL", 1)
    assert found(products) == ""
    assert "BATCH_MATMUL" in found(products, limits=LIMITS._replace(reference=True))


def softmax(size: int, kind: int = INT8) -> SubgraphRows:
    logits = tensor(1, size, kind=kind)
    scaled = logits._replace(quantization=Quantization(1, 1, 0, 0.01))
    return subgraph([scaled, scaled], [operator("SOFTMAX", (0,), 1)])


@pytest.mark.parametrize(("graph", "reference", "apart"), [
    (softmax(512), True, True), (softmax(511), True, False), (softmax(512), False, False),
    (softmax(4096, kind=INT16), True, False), (softmax(-1), True, True), (softmax(1), True, True),
])  # fmt: skip
def test_a_long_softmax_of_bytes_may_end_the_process_in_reference_kernels(
    graph: SubgraphRows, reference: bool, apart: bool
) -> None:
    assert ("SOFTMAX" in found(graph, limits=LIMITS._replace(reference=reference))) == apart
