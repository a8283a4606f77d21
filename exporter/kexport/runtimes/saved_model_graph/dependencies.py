"""How the nodes and functions of a SavedModel depend on each other, as far as its check needs it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kexport.runtimes.saved_model_graph.protocols import (
    AttributeValue,
    MetaGraph,
    NamedAttributes,
    SavedFunction,
    SavedNode,
    TensorInfo,
)

#: The name of the graph itself, beside those of its functions; no function is called so.
MAIN = ""
#: The origin of a tensor that is an asset of the object graph; no node has a colon in its name.
ASSET = "asset:"
#: Operations that pass their inputs, one by one, to the function that they call.
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_SAVERS = "savers"  # a collection of savers, which nothing runs
_DEEPEST = 100  # calls through which the name of a file may come


@dataclass(frozen=True)
class Scope:
    """The graph itself, or one of its functions.

    Attributes:
        name: the name of the function; `MAIN` for the graph.
        nodes: its nodes by name.
        arguments: the names of the function's arguments.
    """

    name: str
    nodes: dict[str, SavedNode]
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"function {self.name!r}" if self.name else "the graph"


class Dependencies:
    """The nodes of a graph and of its functions, who calls whom, and what the saver alone uses.

    Args:
        graph: the graph and what belongs to it.
        runs: whether TensorFlow runs the nodes of the graph itself; where there are objects, it runs their functions.
    """

    def __init__(self, graph: MetaGraph, *, runs: bool) -> None:
        self.graph = graph
        self._runs = runs
        library = graph.graph_def.library.function
        self.scopes = {each.signature.name: _of_function(each) for each in library}
        self.scopes[MAIN] = Scope(MAIN, {node.name: node for node in graph.graph_def.node})
        self._callers: dict[str, list[tuple[Scope, SavedNode]]] = defaultdict(list)
        for scope in self.scopes.values():
            for node in scope.nodes.values():
                for name in _called(node):
                    self._callers[name].append((scope, node))
        # TensorFlow may put these in the place of others.
        gradients = {each.gradient_func for each in graph.graph_def.library.gradient}
        swapped = {each.signature.name for each in library if any("implements" in name for name in each.attr)}
        self._called_unseen = gradients | swapped
        self._of_objects = set(graph.object_graph_def.concrete_functions) | _mentioned(graph, self.scopes)

    def executed(self, *, loading: bool) -> set[str]:
        """The nodes of the graph itself on which its signatures, or what loading runs too, depend."""
        graph = self.graph
        outputs = [tensor for each in graph.signature_def.values() for tensor in each.outputs.values()]
        roots = [name for tensor in outputs for name in _tensor_names(tensor)]
        if loading:
            roots += [name for each in graph.collection_def.values() for name in each.node_list.value]
        return self._ancestors(roots)

    def foreign_calls(self) -> Iterator[tuple[str, tuple[Scope, SavedNode]]]:
        """Calls of what is not among its functions, such as an operation, which TensorFlow may take for one."""
        for name, callers in self._callers.items():
            if name not in self.scopes:
                yield name, callers[0]

    def of_saver(self) -> tuple[set[str], set[str]]:
        """The nodes of the graph itself, and the functions, that only the writing of a checkpoint uses."""
        start = node_name(self.graph.saver_def.save_tensor_name)
        nodes = self.scopes[MAIN].nodes
        used = self.executed(loading=True) | self._ancestors([self.graph.saver_def.restore_op_name])
        collections = self.graph.collection_def.items()
        stored = b"\0".join(each.SerializeToString() for key, each in collections if key != _SAVERS)
        users: dict[str, set[str]] = defaultdict(set)
        for node in nodes.values():
            for tensor in node.input:
                users[node_name(tensor)].add(node.name)
        mine: set[str] = set()
        waiting = [start] if start in nodes else []
        while waiting:
            name = waiting.pop()
            if name in mine or name in used or not users[name] <= mine or name.encode() in stored:
                continue
            mine.add(name)
            waiting += [node_name(tensor) for tensor in nodes[name].input if node_name(tensor) in nodes]
        return mine, self._functions_of(mine)

    def _functions_of(self, nodes: set[str]) -> set[str]:
        """The functions that nothing but these nodes of the graph calls."""
        mine: set[str] = set()
        grown = True
        while grown:
            grown = False
            for name in self.scopes.keys() - mine - self._of_objects - self._called_unseen - {MAIN}:
                callers = self._callers[name]
                if callers and all(
                    scope.name in mine or (scope.name == MAIN and node.name in nodes) for scope, node in callers
                ):
                    mine.add(name)
                    grown = True
        return mine

    def _ancestors(self, roots: Iterable[str]) -> set[str]:
        nodes, seen = self.scopes[MAIN].nodes, set()
        waiting = [node_name(root) for root in roots]
        while waiting:
            name = waiting.pop()
            if name in nodes and name not in seen:
                seen.add(name)
                waiting += map(node_name, nodes[name].input)
        return seen

    def origins(self, scope: Scope, tensor: str, depth: int = 0) -> Iterator[str | None]:
        """Where the value of a tensor comes from.

        Yields:
            A node of the graph itself by name, `ASSET`, or None for anything else.
        """
        name = node_name(tensor)
        node = scope.nodes.get(name)
        if depth > _DEEPEST:
            yield None
        elif node is not None and node.op == "Identity" and node.input:
            yield from self.origins(scope, node.input[0], depth + 1)
        elif node is not None:
            yield name if scope.name == MAIN else None
        elif name in scope.arguments:
            yield from self._origins_of_argument(scope, scope.arguments.index(name), depth + 1)
        else:
            yield None

    def _origins_of_argument(self, function: Scope, index: int, depth: int) -> Iterator[str | None]:
        if function.name in self._called_unseen:
            yield None
        for scope, node in self._callers[function.name]:
            if scope.name == MAIN and not self._runs:
                continue
            if node.op in _CALLS and index < len(node.input):
                yield from self.origins(scope, node.input[index], depth)
            else:
                yield None
        objects = self.graph.object_graph_def
        if function.name in objects.concrete_functions:
            bound = objects.concrete_functions[function.name].bound_inputs
            place = index - (len(function.arguments) - len(bound))  # what a function captures comes last
            kind = objects.nodes[bound[place]].WhichOneof("kind") if 0 <= place < len(bound) else None
            yield ASSET if kind == "asset" else None
        elif function.name in self._of_objects:
            yield None


def _called(node: SavedNode) -> Iterator[str]:
    """The names of the functions that a node calls, in its attributes and in those of these functions."""
    for value in node.attr.values():
        yield from _functions_in(value)


def _functions_in(value: AttributeValue) -> Iterator[str]:
    """The names in a value; protocol buffers nest no deeper than their parser allows."""
    functions: list[NamedAttributes] = list(value.list.func) if value.HasField("list") else []
    if value.HasField("func"):
        functions.append(value.func)
    for function in functions:
        if function.name:
            yield function.name
        for inner in function.attr.values():
            yield from _functions_in(inner)


def node_name(tensor: str) -> str:
    """The name of the node, or of the argument, that a tensor or a control dependency comes from."""
    return tensor.removeprefix("^").partition(":")[0]


def _of_function(function: SavedFunction) -> Scope:
    arguments = tuple(argument.name for argument in function.signature.input_arg)
    return Scope(function.signature.name, {node.name: node for node in function.node_def}, arguments)


def _mentioned(graph: MetaGraph, names: Iterable[str]) -> set[str]:
    """The functions that objects name by themselves."""
    stored = b"\0".join(each.SerializeToString() for each in graph.object_graph_def.nodes)
    return {name for name in names if name and name.encode() in stored}


def _tensor_names(tensor: TensorInfo) -> list[str]:
    sparse = tensor.coo_sparse
    names = [tensor.name, sparse.values_tensor_name, sparse.indices_tensor_name, sparse.dense_shape_tensor_name]
    inner = (name for part in tensor.composite_tensor.components for name in _tensor_names(part))
    return [*filter(None, names), *inner]
