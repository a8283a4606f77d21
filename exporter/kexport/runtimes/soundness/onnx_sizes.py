"""What nodes would take and divide by, as far as it follows from the constants of an ONNX file.

ONNX Runtime computes what depends on nothing but constants as soon as it loads a file, and the rest at the first call.
A shape of 2 ** 30 in twenty bytes takes gigabytes, and an integer that is divided by zero ends the process. Sizes are
followed from the inputs and constants through the graph; where they vary, with the least that they can be.
"""

from __future__ import annotations

import graphlib
import math
from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import NamedTuple

import numpy as np

from kexport.runtimes.soundness.flaw import LONGEST_LOOP, FlawError
from kexport.runtimes.soundness.onnx_contributed import check_known
from kexport.runtimes.soundness.onnx_costs import CostLimits, Costs
from kexport.runtimes.soundness.onnx_functions import Name
from kexport.runtimes.soundness.onnx_images import POOLS
from kexport.runtimes.soundness.onnx_operands import Operands
from kexport.runtimes.soundness.onnx_rows import OF_SIZES, RANDOM, GraphRows, NodeRow, OfCall
from kexport.runtimes.soundness.onnx_shapes import KEEPING, RULES
from kexport.runtimes.soundness.onnx_tensors import INTEGERS, UNKNOWN, Dims, Known
from kexport.runtimes.soundness.onnx_values import LIKE, computed

_BLOCKED = "com.microsoft.nchwc"  # as the optimiser writes it, with operators as the standard has them
_MOST_NODES = 100_000  # with the bodies of functions in place: beyond, sizes are not followed into them
_NO_LIMIT = CostLimits(1 << 62, math.inf)  # a call has a limit of its own
_Scope = MutableMapping[str, Known]


class Found(NamedTuple):
    """What a look at sizes found.

    Attributes:
        windows: those that fit only some inputs; None where they fit all, or there are none.
        apart: the first node that may take too long or too much in the caller's process; empty where there is none.
        foldable: whether the size of all that depends on nothing but constants is known.
    """

    windows: Windows | None
    apart: str
    foldable: bool


def check_sizes(graph: GraphRows, functions: Mapping[Name, GraphRows], most: CostLimits) -> Found:
    """Follow the sizes through a model.

    Args:
        graph: the main graph.
        functions: the bodies of functions.
        most: what it may take.

    Raises:
        FlawError: a node would take too much memory, divide an integer by zero, or never end.
    """
    sizes = Sizes(functions, most)
    with np.errstate(all="ignore"):
        sizes.graph(graph, {})
    windows = Windows(graph, functions) if sizes.windows_vary else None
    return Found(windows, sizes.costs.apart, not sizes.costs.unknown)


class Windows:
    """Pooling windows over images whose sizes only a call tells; the file is not needed any more.

    Args:
        graph: the main graph.
        functions: the bodies of functions.
    """

    def __init__(self, graph: GraphRows, functions: Mapping[Name, GraphRows]) -> None:
        self._graph = graph.kept()
        self._functions = {name: body.kept() for name, body in functions.items()}

    def require_fitting(self, shapes: Mapping[str, Dims]) -> None:
        """Raise `FlawError` where a window is larger than what it slides over, for inputs of these shapes."""
        given = [Known(shapes.get(name, known.dims), known.type) for name, known in self._graph.inputs]
        with np.errstate(all="ignore"):
            Sizes(self._functions, _NO_LIMIT).graph(self._graph, {}, given)


class Sizes:
    """One walk through a model.

    Args:
        functions: the bodies of functions.
        most: as for `check_sizes`.
    """

    def __init__(self, functions: Mapping[Name, GraphRows], most: CostLimits) -> None:
        self._functions, self._most = functions, most
        self.costs = Costs(most)
        self._left = _MOST_NODES
        self.windows_vary = False

    def graph(self, graph: GraphRows, outer: _Scope, given: Sequence[Known] | None = None) -> list[Known]:
        """Follow the sizes through a graph; returns what is known of its outputs.

        Args:
            graph: the graph.
            outer: what is known of the tensors around it.
            given: what is known of its inputs; by default what it declares.
        """
        scope: _Scope = ChainMap({}, outer) if outer else {}
        for place, (name, declared) in enumerate(graph.inputs):
            scope[name] = declared if given is None else given[place] if place < len(given) else UNKNOWN
        scope.update(graph.constants)
        for node in _in_order(graph.nodes):
            self._node(node, scope)
        return [scope.get(name, UNKNOWN) for name in graph.outputs]

    def _node(self, node: NodeRow, scope: _Scope) -> None:
        given = [scope.get(name, UNKNOWN) for name in node.inputs]
        function = self._functions.get(node.operator) if self._functions else None
        if function is not None:
            self._left -= len(function.nodes)
            if self._left > 0:
                scope.update(zip(node.outputs, self.graph(_with(function, node), {}, given), strict=False))
            return
        if node.graphs:
            self._graphs(node, given, scope)
            return
        result = self._result(node, given)
        fixed = all(known.fixed for name, known in zip(node.inputs, given, strict=True) if name)
        if node.kind in OF_SIZES:
            fixed = result.value is not None
        fixed = fixed and node.kind not in RANDOM
        self.costs.add(node, given, result, fixed=fixed)
        for place, name in enumerate(node.outputs):
            known = result if place == 0 else UNKNOWN
            scope[name] = known.as_fixed() if fixed else known

    def _result(self, node: NodeRow, given: Sequence[Known]) -> Known:
        """What is known of the first result of a node."""
        if node.kind in KEEPING and given and node.standard:
            like = LIKE.get(node.kind, 0)
            return Known(given[0].dims, given[like if like < len(given) else 0].type)
        if not node.standard:
            check_known(node, given)
        if not node.outputs or not (node.standard or node.operator[0] == _BLOCKED):
            return UNKNOWN
        if node.kind in ("Div", "Mod"):
            self._require_divisor(node, given)
        elif node.kind in _SIZED and any(known.value is None for known in given[: _SIZED[node.kind]]):
            self.costs.apart = self.costs.apart or node.place
        elif node.kind == "STFT":
            _require_rank(node, given, 2, (1,), "window")
        op = Operands(node, given)
        rule = RULES.get(node.kind)
        try:
            dims = rule(op) if rule is not None else None
            result = computed(op, dims)
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
            return UNKNOWN  # axes, sizes or types that contradict each other, which the runtime says
        self._require_small(node, result)
        if node.kind in POOLS:
            self.windows_vary |= result.dims is None or any(size < 0 for size in result.dims[2:])
        return result

    def _require_divisor(self, node: NodeRow, given: Sequence[Known]) -> None:
        """Raise `FlawError` where constants cannot be divided; notes where the values of a call may not be."""
        if _may_overflow(node, given):
            self.costs.apart = self.costs.apart or node.place

    def _require_small(self, node: NodeRow, result: Known) -> None:
        size = result.least
        if size > self._most.bytes:
            sizes = tuple(size if size >= 0 else f"{-size} or more" for size in result.dims or ())
            raise FlawError(f"the size of {node.place}", f"{size / 1e9:.1f} GB, {sizes}",
                            f"at most {self._most.bytes / 1e9:.1f} GB; max_bytes raises that")  # fmt: skip

    def _graphs(self, node: NodeRow, given: Sequence[Known], scope: _Scope) -> None:
        """The graphs that a node runs, of whose inputs nothing is known but whether a loop goes on."""
        if node.kind == "Loop":
            for place, what in enumerate(("number of turns", "condition")):
                _require_rank(node, given, place, (0, 1), what)
        for name, graph in node.graphs.items():
            loop = node.kind == "Loop" and name == "body"
            goes_on = given[1] if len(given) > 1 and node.inputs[1] else _TRUE
            inputs = [UNKNOWN, Known(goes_on.dims, goes_on.type, goes_on.value)] if loop else []
            turns = self.costs.turns
            self.costs.turns *= _turns_of(node, given) if loop or node.kind == "Scan" else 1
            results = self.graph(graph, scope, inputs)
            self.costs.turns = turns
            if loop:
                _require_end(node, given, results)


#: How many of their first inputs are sizes of what they make: numbers of a call may ask for any.
_SIZED = {"MelWeightMatrix": 2, "HannWindow": 1, "HammingWindow": 1, "BlackmanWindow": 1}
_TRUE = Known((), 9, np.array(True))


def _require_end(node: NodeRow, given: Sequence[Known], results: Sequence[Known]) -> None:
    """Raise `FlawError` where a loop goes on as long as it may, and that is for ever."""
    goes_on = results and results[0].value is not None and bool(np.all(results[0].value))
    begins = len(given) < 2 or not node.inputs[1] or (given[1].value is not None and bool(np.all(given[1].value)))
    if not (goes_on and begins) or not given:
        return
    turns = given[0].value
    if not node.inputs[0] or (turns is not None and turns.size == 1 and turns.item() > LONGEST_LOOP):
        got = "no condition that ends it" if not node.inputs[0] else f"{turns.item()} turns"
        raise FlawError(f"the end of {node.place}", got, f"at most {LONGEST_LOOP} turns, or a condition")


def _require_rank(node: NodeRow, given: Sequence[Known], place: int, ranks: Sequence[int], what: str) -> None:
    """Raise `FlawError` where an operand has other axes than its kernel takes for granted, or nothing along them."""
    dims = given[place].dims if place < len(given) and node.inputs[place] else None
    if dims is not None and (len(dims) not in ranks or 0 in dims):
        raise FlawError(f"the {what} of {node.place}", f"shape {dims}", f"{' or '.join(map(str, ranks))} axes")


def _turns_of(node: NodeRow, given: Sequence[Known]) -> int:
    """How often a node runs its graph at least, as far as constants and sizes say."""
    if node.kind == "Loop":
        turns = given[0].value if given else None
        return max(int(turns.item()), 1) if turns is not None and turns.size == 1 else 1
    sizes = given[-1].dims if given else None  # what it scans comes last
    return max(map(abs, sizes[:1]), default=1) if sizes else 1


def _may_overflow(node: NodeRow, given: Sequence[Known]) -> bool:
    """Whether the values of a call decide if the least integer is divided by -1: processors stop there.

    Raises:
        FlawError: that of constants is, or one of their divisors is zero.
    """
    if len(given) != 2 or given[1].value is None or given[1].type not in INTEGERS or node.attributes.get("fmod"):
        return False
    left, right = given[0].value, given[1].value
    if not right.all():
        raise FlawError(f"the divisor of {node.place}", "zero among its integers", "no zero")
    if right.dtype.kind != "i" or (left is not None and left.dtype.kind != "i"):
        return False
    if left is None:
        return node.kind == "Div" and bool((right == -1).any())
    try:
        overflow = bool(np.any((left == np.iinfo(left.dtype).min) & (right == -1)))
    except ValueError:
        return False  # shapes that do not fit
    if overflow:
        raise FlawError(f"the quotient of {node.place}", "the least integer by -1", "one that its type has")
    return False


def _in_order(nodes: Sequence[NodeRow]) -> Iterable[NodeRow]:
    """The nodes, each after those that compute what it takes; as they are where they run in a circle."""
    producers = {name: at for at, node in enumerate(nodes) for name in node.outputs}
    if all(producers.get(name, -1) < at for at, node in enumerate(nodes) for name in node.inputs):
        return nodes
    before = {at: {producers[n] for n in node.inputs if n in producers} for at, node in enumerate(nodes)}
    try:
        return [nodes[at] for at in graphlib.TopologicalSorter(before).static_order()]
    except graphlib.CycleError:
        return nodes


def _with(function: GraphRows, call: NodeRow) -> GraphRows:
    """The body of a function with the attributes of a call in place of those that refer to them."""
    nodes = []
    for node in function.nodes:
        attributes = {
            name: call.attributes.get(value.name) if isinstance(value, OfCall) else value
            for name, value in node.attributes.items()
        }
        nodes.append(node._replace(attributes=attributes))
    return GraphRows(nodes, function.inputs, function.outputs, function.constants)
