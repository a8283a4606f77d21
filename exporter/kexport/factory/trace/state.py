"""State that a model keeps between calls: variables that the traced function assigns to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kexport.factory.trace import variable_names

#: What the types of operations that change a variable begin with.
_WRITES = ("Assign", "ResourceScatter", "ResourceStridedSliceAssign")


def reset_layers(model: Any) -> None:
    """Let every recurrent layer that keeps its state start anew."""
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False) and hasattr(layer, "reset_state"):
            layer.reset_state()


def initial(core: Any) -> list[tuple[Any, Any]]:
    """The variables that a traced function assigns to, with the values they have now."""
    names = written(core.graph.as_graph_def())
    handles = [external for external, internal in core.graph.captures if internal.op.name in names]
    return [
        (variable, variable.numpy())
        for variable in core.graph.variables
        if any(variable.handle is handle for handle in handles)
    ]


def kept(graph: Any) -> dict[str, str]:
    """Of each captured variable that the outputs depend on and that is assigned to: the operation that does."""
    seen, pending = set(), [tensor.op for tensor in graph.outputs]
    while pending:
        op = pending.pop()
        if op.name not in seen:
            seen.add(op.name)
            pending += [tensor.op for tensor in op.inputs]
    return {name: by for name, by in written(graph.as_graph_def()).items() if name in seen}


def written(graph_def: Any) -> dict[str, str]:
    """Of each placeholder of a graph whose variable it, or a function that it calls, assigns to: the operation."""
    functions = {function.signature.name: function for function in graph_def.library.function}
    return _written(graph_def.node, functions)


def _written(nodes: Sequence[Any], functions: Mapping[str, Any]) -> dict[str, str]:
    by_name = {node.name: node for node in nodes}
    found = {}
    for node in nodes:
        if node.op.startswith(_WRITES):
            found[origin(node.input[0], by_name)] = node.name
        given = [name for name in node.input if not name.startswith("^")]
        for function in _called(node, functions):
            arguments = [argument.name for argument in function.signature.input_arg]
            inner = _written(function.node_def, functions)
            # The last ones belong together: a branch gets all inputs but the first, which selects it.
            for argument, name in zip(reversed(arguments), reversed(given), strict=False):
                if argument in inner:
                    found[origin(name, by_name)] = f"{node.name}/{inner[argument]}"
    return found


def origin(name: str, nodes: Mapping[str, Any]) -> str:
    """The node, or argument, that an input comes from, past nodes that change nothing."""
    while True:
        name = name.split(":")[0]
        if name not in nodes or nodes[name].op != "Identity":
            return name
        name = nodes[name].input[0]


def _called(node: Any, functions: Mapping[str, Any]) -> Iterator[Any]:
    for value in node.attr.values():
        for name in (value.func.name, *(item.name for item in value.list.func)):
            if name in functions:
                yield functions[name]


def save(program: Any, target: Path) -> None:
    """Write a SavedModel that keeps the state: the one form of a program that can."""
    import tensorflow as tf

    @tf.function(autograph=False)
    def serving_default(**named: Any) -> dict[str, Any]:
        found: dict[str, Any] = program.signature.named_outputs(
            program.core(*(named[spec.name] for spec in program.signature.inputs))
        )
        return found

    module = tf.Module()
    module.weights = list(program.core.graph.variables)
    module.captured = program.resources()
    specs = {spec.name: spec for spec in program.interface.specs()}
    with variable_names.valid(module.weights):
        tf.saved_model.save(module, str(target), signatures=serving_default.get_concrete_function(**specs))
