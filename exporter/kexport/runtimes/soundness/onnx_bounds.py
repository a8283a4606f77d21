"""Whether the loops of an ONNX file end after turns that the file and the sizes of the inputs decide.

A loop whose condition looks at values may never end, which is no flaw. What is steady here depends on constants and
sizes alone. Memory needs no such look: ONNX Runtime keeps to a limit.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, MutableMapping, Sequence

from kexport.runtimes.soundness.flaw import LONGEST_LOOP
from kexport.runtimes.soundness.onnx_functions import Name
from kexport.runtimes.soundness.onnx_rows import OF_SIZES, RANDOM, GraphRows, NodeRow
from kexport.runtimes.soundness.onnx_tensors import Known

#: Of comparisons, which operand is the smaller one while the loop goes on.
_LESS = {"Less": 0, "LessOrEqual": 0, "Greater": 1, "GreaterOrEqual": 1}
_COUNTING = frozenset({6, 7})  # int32 and int64
_WIDE = frozenset({1, 6, 7, 11})  # types that hold a counter in order
_MOST_NODES = 200_000  # each as often as it is looked at
_Scope = MutableMapping[str, bool]


def decided_by_values(graph: GraphRows, functions: Mapping[Name, GraphRows]) -> str:
    """The first loop whose end the values of a call decide; empty where there is none.

    Args:
        graph: the main graph of a file that was checked.
        functions: the bodies of functions.
    """
    if not any(_has_loop(each) for each in (graph, *functions.values())):
        return ""
    bounds = _Bounds(functions)
    bounds.graph(graph, {}, {}, [False] * len(graph.inputs), 1)
    return bounds.found


def _has_loop(graph: GraphRows) -> bool:
    return any(node.kind == "Loop" or any(map(_has_loop, node.graphs.values())) for node in graph.nodes)


class _Bounds:
    """A walk through the graphs, with flags for tensors: whether they are steady."""

    def __init__(self, functions: Mapping[Name, GraphRows]) -> None:
        self._functions = functions
        self._left = _MOST_NODES
        self.found = ""

    def graph(
        self, graph: GraphRows, outer: _Scope, around: Mapping[str, int], given: Sequence[bool], turns: int
    ) -> list[bool]:
        """Which outputs of a graph are steady.

        Args:
            graph: the graph.
            outer: which tensors around it are.
            around: the constants around it that are one integer.
            given: which of its inputs are.
            turns: how often it runs in one call, as far as constants say.
        """
        scope: _Scope = ChainMap({}, outer)
        self._left -= len(graph.nodes)
        if self._left < 0:  # loops within loops, more than can be followed
            self.found = self.found or "the loops"
            return [False] * len(graph.outputs)
        for place, (name, _) in enumerate(graph.inputs):
            scope[name] = place < len(given) and given[place]
        scope.update(dict.fromkeys(graph.constants, True))
        numbers = {**around, **_numbers(graph)}
        for node in graph.nodes:
            flags = self._flags(node, scope, numbers, turns)
            scope.update(zip(node.outputs, flags, strict=False))
        return [scope.get(name, False) for name in graph.outputs]

    def _flags(self, node: NodeRow, scope: _Scope, numbers: Mapping[str, int], turns: int) -> list[bool]:
        """Which outputs of a node are steady."""
        given = [not name or scope.get(name, False) for name in node.inputs]
        if node.operator in self._functions:
            return self.graph(self._functions[node.operator], {}, {}, given, turns)
        if node.kind == "Loop" and "body" in node.graphs:
            return self._loop(node, scope, numbers, turns)
        for graph in node.graphs.values():
            self.graph(graph, scope, numbers, [], turns)
        if node.kind in OF_SIZES:
            return [True]
        follows = all(given) and not node.graphs and node.kind not in RANDOM
        return [follows] * len(node.outputs)

    def _loop(self, node: NodeRow, scope: _Scope, numbers: Mapping[str, int], turns: int) -> list[bool]:
        """Which values are steady from turn to turn; notes the loop if nothing steady ends it."""
        body = node.graphs["body"]
        kept = [scope.get(name, False) for name in node.inputs[2:]]
        before = None
        while kept != before:
            before = kept
            after = self.graph(body, scope, numbers, [True, False, *kept], turns)[1 : 1 + len(kept)]
            kept = [one and other for one, other in zip(kept, after, strict=False)]
        longest = self._turns_of(node, scope, numbers, kept)
        if longest is None or turns * longest > LONGEST_LOOP:
            self.found = self.found or node.place
        else:
            self.graph(body, scope, numbers, [True, False, *kept], turns * longest)
        return kept

    def _turns_of(self, node: NodeRow, scope: _Scope, numbers: Mapping[str, int], kept: Sequence[bool]) -> int | None:
        """The turns that a loop takes at most; 1 where sizes decide, None where values do."""
        most = node.inputs[0] if node.inputs else ""
        ends = []
        if most and scope.get(most, False):
            ends.append(max(1, numbers.get(most, 1)))
        first = [numbers.get(name) for name in node.inputs[2:]]
        loop = _Loop(node.graphs["body"], scope, numbers, kept, first)
        turns = loop.turns()
        return min([*ends, *([] if turns is None else [turns])], default=None)


def _numbers(graph: GraphRows) -> dict[str, int]:
    """The constants of a graph that are one integer."""
    found = dict[str, int]()
    known = dict(graph.constants)
    for node in graph.nodes:
        held = node.attributes.get("value")
        if node.kind == "Constant" and isinstance(held, Known):
            known[node.outputs[0]] = held
    for name, each in known.items():
        if each.type in _COUNTING and each.dims in ((), (1,)) and each.value is not None:
            found[name] = int(each.value.item())
    return found


class _Loop:
    """A loop whose condition compares a counter with a limit.

    Args:
        body: what is a turn.
        outer: which tensors around it are steady.
        around: the constants around it that are one integer.
        kept: which of the values that it carries are steady.
        first: these values before the first turn, where they are constants of one integer.
    """

    def __init__(
        self,
        body: GraphRows,
        outer: Mapping[str, bool],
        around: Mapping[str, int],
        kept: Sequence[bool],
        first: Sequence[int | None],
    ) -> None:
        self._body, self._outer, self._kept, self._first = body, outer, kept, first
        self._numbers = {**around, **_numbers(body)}
        self._inputs = [name for name, _ in body.inputs]
        self._makers = {name: node for node in body.nodes for name in node.outputs}
        self._sources: dict[str, str] = {}
        for node in body.nodes:
            if node.outputs and node.inputs and _keeps_order(node):
                self._sources[node.outputs[0]] = self._source(node.inputs[0])

    def turns(self) -> int | None:
        """The turns that its condition allows; 1 where sizes decide, None where values do."""
        found: dict[str, int] = {}
        for node in self._body.nodes:
            turns = None
            if node.kind == "And":
                turns = min((found[name] for name in map(self._source, node.inputs) if name in found), default=None)
            elif node.kind in _LESS and len(node.inputs) == 2:
                smaller = _LESS[node.kind]
                turns = self._counted(self._source(node.inputs[smaller]), self._source(node.inputs[1 - smaller]))
            if turns is not None and node.outputs:
                found[node.outputs[0]] = turns
        return found.get(self._source(self._body.outputs[0])) if self._body.outputs else None

    def _source(self, name: str) -> str:
        """The tensor that one is a copy of."""
        return self._sources.get(name, name)

    def _counted(self, counter: str, limit: str) -> int | None:
        """The turns until a counter reaches a limit."""
        if not self._is_steady(limit):
            return None
        if self._inputs[:1] == [counter]:
            begin: int | None = 0
            step: int | None = 1
        else:
            place = self._place(counter)
            if place is None:
                return None
            begin, step = self._first[place], self._step(place)
        if step is None:
            return None
        end = self._first[self._inputs.index(limit) - 2] if limit in self._inputs else self._numbers.get(limit)
        return 1 if begin is None or end is None else max(1, (end - begin) // step + 1)

    def _place(self, counter: str) -> int | None:
        """Which of the values that the loop carries a counter is, before its step or after it."""
        for place, (own, after) in enumerate(zip(self._inputs[2:], self._body.outputs[1:], strict=False)):
            if place < len(self._kept) and self._kept[place] and counter in (own, self._source(after)):
                return place
        return None

    def _step(self, place: int) -> int | None:
        """By how much a turn raises one of the values, an integer; None where it does not."""
        own, node = self._inputs[2 + place], self._makers.get(self._source(self._body.outputs[1 + place]))
        if node is None or node.kind != "Add" or own not in node.inputs or len(node.inputs) != 2:
            return None
        left, right = node.inputs
        step = self._numbers.get(right if left == own else left)
        return step if step is not None and step > 0 else None

    def _is_steady(self, limit: str) -> bool:
        """Whether no turn changes a limit, and no value of the call decides it."""
        if limit in self._inputs[2:]:
            place = self._inputs.index(limit) - 2
            return (
                place < len(self._kept) and self._kept[place] and self._source(self._body.outputs[1 + place]) == limit
            )
        if limit in self._inputs:
            return False
        return limit in self._numbers or (limit not in self._makers and self._outer.get(limit, False))


def _keeps_order(node: NodeRow) -> bool:
    """Whether it copies a counter, or casts it to a type in which a larger number stays larger."""
    return node.kind == "Identity" or (node.kind == "Cast" and node.attributes.get("to") in _WIDE)
