"""Names of the functions of a graph that do not depend on what else the process has traced.

TensorFlow numbers functions, `__inference_serve_107`, and what they capture in a count of the process, and lists
functions in the order of a hash table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kexport.factory.graph.protocols import AttrValue, FunctionDef, GraphDef, NodeDef

_ARGUMENT = "_user_specified_name"
_GRADIENT = "_gradient_op_type"


@dataclass(frozen=True)
class NewNames:
    """What functions, and the arguments of some of them, are called now.

    Attributes:
        functions: by the former name.
        arguments: by the former name of the function, and that of the argument.
    """

    functions: dict[str, str]
    arguments: dict[str, dict[str, str]]


def renumber(graph_def: GraphDef, others: Iterable[str] = ()) -> NewNames:
    """Number the functions of a graph in the order in which it calls them, and list them in that order.

    Args:
        graph_def: the graph, which is changed.
        others: names of functions that are called from outside of the graph, in order.

    Returns:
        The new names.
    """
    outside = dict.fromkeys(others)
    functions = {function.signature.name: function for function in graph_def.library.function}
    gradients = {each.registered_op_type: each.gradient_func for each in graph_def.library.registered_gradients}
    ordered: dict[str, FunctionDef] = {}
    pending = [iter([*_mentioned(graph_def.node, gradients), *outside, *sorted(functions)])]
    while pending:
        name = next(pending[-1], None)
        if name is None:
            pending.pop()
        elif name in functions and name not in ordered:
            ordered[name] = functions[name]
            pending.append(_mentioned(functions[name].node_def, gradients))
    names = {name: f"{re.sub(r'_[0-9]+$', '', name)}_{number}" for number, name in enumerate(ordered)}
    for nodes in (graph_def.node, *(function.node_def for function in functions.values())):
        for node in nodes:
            _rename(node, names)
    for function in graph_def.library.function:
        function.signature.name = names[function.signature.name]
        for value in function.attr.values():
            _rename_in(value, names)
        for index, attributes in function.arg_attr.items():
            if _ARGUMENT in attributes.attr and attributes.attr[_ARGUMENT].s.isdigit():
                attributes.attr[_ARGUMENT].s = str(index).encode()
    inner = {name: number for number, name in enumerate(ordered) if name not in outside}
    arguments = {name: _name_arguments(functions[name], f"argument_{number}") for name, number in inner.items()}
    for gradient in graph_def.library.gradient:
        gradient.function_name = names.get(gradient.function_name, gradient.function_name)
        gradient.gradient_func = names.get(gradient.gradient_func, gradient.gradient_func)
    order = {name: number for number, name in enumerate(names.values())}
    graph_def.library.function.sort(key=lambda function: order[function.signature.name])
    _rename_custom_gradients(graph_def, names, order)
    return NewNames(names, arguments)


def _rename_custom_gradients(graph_def: GraphDef, names: Mapping[str, str], order: Mapping[str, int]) -> None:
    """Name custom gradients, which TensorFlow numbers in a count of the process, after the order of their functions."""
    registered = graph_def.library.registered_gradients
    for each in registered:
        each.gradient_func = names.get(each.gradient_func, each.gradient_func)
    registered.sort(key=lambda each: order.get(each.gradient_func, len(order)))
    kinds = {each.registered_op_type: f"CustomGradient-{number}" for number, each in enumerate(registered)}
    for each in registered:
        each.registered_op_type = kinds[each.registered_op_type]
    for nodes in (graph_def.node, *(function.node_def for function in graph_def.library.function)):
        for node in nodes:
            if kind := _gradient_kind(node):  # one that is not registered has lost its function
                node.attr[_GRADIENT].s = kinds.setdefault(kind, f"CustomGradient-{len(kinds)}").encode()


def _gradient_kind(node: NodeDef) -> str:
    """The name under which the custom gradient of a node is registered; empty if it has none."""
    return str(node.attr[_GRADIENT].s.decode()) if _GRADIENT in node.attr else ""


def _name_arguments(function: FunctionDef, prefix: str) -> dict[str, str]:
    """Number the arguments of a function, which are called by their places, and what refers to them; the new names."""
    names = {each.name: f"{prefix}_{place}" for place, each in enumerate(function.signature.input_arg)}
    if not {node.name for node in function.node_def}.isdisjoint(names.values()):
        return {}
    for each in function.signature.input_arg:
        each.name = names[each.name]
    for node in function.node_def:
        node.input[:] = [_renamed(source, names) for source in node.input]
    for result, source in list(function.ret.items()):
        function.ret[result] = _renamed(source, names)
    return names


def _renamed(source: str, names: Mapping[str, str]) -> str:
    """An input of a node, `^NAME` or `NAME` or `NAME:PLACE`, with the new name of what it comes from."""
    name, colon, place = source.partition(":")
    control = "^" * name.startswith("^")
    name = name.removeprefix("^")
    return f"{control}{names.get(name, name)}{colon}{place}"


def _mentioned(nodes: Iterable[NodeDef], gradients: Mapping[str, str]) -> Iterator[str]:
    """The names of functions that nodes call, and other names among them.

    Args:
        nodes: of one graph.
        gradients: for each kind of custom gradient that nodes may have, the function that computes it.
    """
    for node in nodes:
        yield node.op
        yield gradients.get(_gradient_kind(node), "")
        for _, value in sorted(node.attr.items()):
            yield from _named_in(value)


def _named_in(value: AttrValue) -> Iterator[str]:
    for each in (value.func, *value.list.func):
        if each.name:
            yield each.name
            for _, inner in sorted(each.attr.items()):
                yield from _named_in(inner)


def _rename(node: NodeDef, names: Mapping[str, str]) -> None:
    node.op = names.get(node.op, node.op)
    for value in node.attr.values():
        _rename_in(value, names)
    called = node.experimental_debug_info.original_func_names
    called[:] = [names.get(name, name) for name in called]


def _rename_in(value: AttrValue, names: Mapping[str, str]) -> None:
    """Rename the functions that an attribute calls, or names as text."""
    kind = value.WhichOneof("value")
    if kind == "s":
        text = value.s.decode(errors="replace")
        if text in names:
            value.s = names[text].encode()
    elif kind in ("func", "list"):
        for each in (value.func,) if kind == "func" else value.list.func:
            each.name = names.get(each.name, each.name)
            for inner in each.attr.values():
                _rename_in(inner, names)
