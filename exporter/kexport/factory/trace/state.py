"""State that a model keeps between calls: variables that the traced function assigns to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import FunctionDef, Graph, GraphDef, NodeDef
from kexport.factory.trace.protocols import BuiltModel, CoreFunction, GraphVariable

#: What the types of operations that change a variable begin with.
_WRITES = ("Assign", "ResourceScatter", "ResourceStridedSliceAssign")


def reset_layers(model: BuiltModel) -> None:
    """Reset the state of every recurrent layer that keeps it between calls."""
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False) and hasattr(layer, "reset_state"):
            layer.reset_state()


def initial(core: CoreFunction) -> list[tuple[GraphVariable, Array]]:
    """The variables that a traced function assigns to, with the values they have now."""
    names = written(core.graph.as_graph_def())
    handles = [external for external, internal in core.graph.captures if internal.op.name in names]
    return [
        (variable, variable.numpy())
        for variable in core.graph.variables
        if any(variable.handle is handle for handle in handles)
    ]


def kept(graph: Graph) -> dict[str, str]:
    """The captured variables that the outputs depend on and that are assigned to, each with the operation that does."""
    seen, pending = set(), [tensor.op for tensor in graph.outputs]
    while pending:
        op = pending.pop()
        if op.name not in seen:
            seen.add(op.name)
            pending += [tensor.op for tensor in op.inputs]
    return {name: by for name, by in written(graph.as_graph_def()).items() if name in seen}


def written(graph_def: GraphDef) -> dict[str, str]:
    """The placeholders whose variable a graph, or a function that it calls, assigns to, each with the operation."""
    functions = {function.signature.name: function for function in graph_def.library.function}
    return _written(graph_def.node, functions)


def _written(nodes: Sequence[NodeDef], functions: Mapping[str, FunctionDef]) -> dict[str, str]:
    by_name = {node.name: node for node in nodes}
    assigning = {}
    for node in nodes:
        if node.op.startswith(_WRITES):
            assigning[origin(node.input[0], by_name)] = node.name
        given = [name for name in node.input if not name.startswith("^")]
        for function in _called(node, functions):
            arguments = [argument.name for argument in function.signature.input_arg]
            inner = _written(function.node_def, functions)
            # The last ones belong together: a branch gets all inputs but the first, which selects it.
            for argument, name in zip(reversed(arguments), reversed(given), strict=False):
                if argument in inner:
                    assigning[origin(name, by_name)] = f"{node.name}/{inner[argument]}"
    return assigning


def origin(name: str, nodes: Mapping[str, NodeDef]) -> str:
    """The node, or argument, that an input comes from, past nodes that change nothing."""
    while True:
        name = name.split(":")[0]
        if name not in nodes or nodes[name].op != "Identity":
            return name
        name = nodes[name].input[0]


def _called(node: NodeDef, functions: Mapping[str, FunctionDef]) -> Iterator[FunctionDef]:
    for value in node.attr.values():
        for name in (value.func.name, *(item.name for item in value.list.func)):
            if name in functions:
                yield functions[name]
