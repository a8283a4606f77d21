"""Copies where TFLite's interpreter would write over a tensor that is read later.

An operator may write its result into the memory of an operand that nothing else reads. The interpreter looks at how
often the operand is read, and the first tensor in that memory, but not at those in between: after y = x * 2, written
over x, and z = reshape(y), the sum z + 1 is written over y too, though y is read later. Kernels that a delegate runs
are not concerned, and the debug mode that preserves all tensors is not either.
Source: `ArenaPlanner::IdentifyInPlaceTensors` of LiteRT; seen with ai-edge-litert 2.3.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import prod
from typing import Any

from kexport.factory.formats._tflite_model import FlatGraph, FlatModel, copy_of

#: Operators whose result is their operand, in the same memory.
_UNCHANGED = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE", "BITCAST")
#: Operators that may write over one of their first operands.
_TEXT = """
    ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD ATAN2 SOFTMAX LOG_SOFTMAX LOGISTIC TANH
    RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 ELU LEAKY_RELU PRELU GELU HARD_SWISH ABS NEG EXP LOG SIN COS SQRT RSQRT SQUARE
    FLOOR CEIL ROUND SIGN LOGICAL_AND LOGICAL_OR LOGICAL_NOT CUMSUM SELECT SELECT_V2 WHERE DYNAMIC_UPDATE_SLICE
    SCATTER_ND BITWISE_XOR RIGHT_SHIFT
"""
_WRITING_OVER = frozenset(_TEXT.split())
_OPERANDS = 3  # that may be written over


def keep_what_is_read(model: FlatModel) -> None:
    """Insert a copy of each operand over which a tensor would be lost that is read later."""
    for graph in model.subgraphs:
        _Planner(model, graph).insert_copies()


class _Planner:
    """What the interpreter decides about the memory of a graph.

    Args:
        model: the file.
        graph: one of its graphs.
    """

    def __init__(self, model: FlatModel, graph: FlatGraph) -> None:
        self._model, self._graph = model, graph
        self._given, self._results = set(map(int, graph.inputs)), set(map(int, graph.outputs))
        self._operators = list(graph.operators or ())
        self._counts: dict[int, int] = {}
        self._last: dict[int, int] = dict.fromkeys(self._results, len(self._operators))
        for tensor in (*self._given, *self._results):
            self._counts[tensor] = self._counts.get(tensor, 0) + 1
        for place, operator in enumerate(self._operators):
            for tensor in _operands(operator):
                self._counts[tensor] = self._counts.get(tensor, 0) + 1
                self._last[tensor] = max(place, self._last.get(tensor, 0))
        self._computed = {int(tensor) for operator in self._operators for tensor in operator.outputs}
        self._root: dict[int, int] = {}

    def insert_copies(self) -> None:
        """Follow the operators, and copy operands before those that would destroy another tensor."""
        operators = []
        for place, operator in enumerate(self._operators):
            kind = _kind(self._model, operator)
            operand = self._operand(operator, kind)
            if operand is not None:
                if kind in _WRITING_OVER and self._is_read_later(operand, place):
                    copying, copy = copy_of(self._model, self._graph, operand)
                    operators.append(copying)
                    operator.inputs = [copy if tensor == operand else tensor for tensor in operator.inputs]
                    self._root[int(operator.outputs[0])] = copy
                else:
                    self._root[int(operator.outputs[0])] = self._first(operand)
            operators.append(operator)
        if len(operators) > len(self._operators):
            self._graph.operators = operators

    def _operand(self, operator: Any, kind: str) -> int | None:
        """The operand in whose memory the result of an operator is, or may be."""
        if not len(operator.outputs) or int(operator.outputs[0]) in self._results:
            return None
        candidates = [each for each in _operands(operator) if each in self._computed and each not in self._given]
        if kind in _UNCHANGED:
            return next((each for each in candidates if each == int(operator.inputs[0])), None)
        if kind not in _WRITING_OVER:
            return None
        result = int(operator.outputs[0])
        for each in candidates[:_OPERANDS]:
            alone = self._counts[each] == 1 and self._counts.get(self._first(each), 0) <= 1
            if alone and _may_be_alike(self._graph.tensors[each], self._graph.tensors[result]):
                return each
        return None

    def _first(self, tensor: int) -> int:
        return self._root.get(tensor, tensor)

    def _is_read_later(self, operand: int, place: int) -> bool:
        """Whether another tensor in the memory of an operand is read behind an operator."""
        first = self._first(operand)
        sharing = {first, *(tensor for tensor, root in self._root.items() if root == first)} - {operand}
        return any(self._last.get(tensor, -1) > place for tensor in sharing)


def _operands(operator: Any) -> Iterator[int]:
    yield from (int(tensor) for tensor in operator.inputs if tensor >= 0)


def _kind(model: FlatModel, operator: Any) -> str:
    from kexport.runtimes.files import tflite

    code: Any = model.operatorCodes[operator.opcodeIndex]
    return _names().get(tflite.number(code), "")


@cache
def _names() -> dict[int, str]:
    from kexport.runtimes.files import tflite

    return dict(tflite.numbered(tflite.schema().BuiltinOperator))


def _may_be_alike(one: Any, other: Any) -> bool:
    """Whether two tensors may have as many bytes; with one dynamic size each, it is taken for the same."""
    sizes = [_sizes(tensor) for tensor in (one, other)]
    if sizes[0].count(-1) != sizes[1].count(-1) or sizes[0].count(-1) > 1:
        return True
    return prod(sizes[0]) == prod(sizes[1])


def _sizes(tensor: Any) -> list[int]:
    signature = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
    return [] if signature is None else list(map(int, signature))
