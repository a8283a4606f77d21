"""Names of the functions of a graph that do not depend on what else the process has traced.

TensorFlow numbers functions, `__inference_serve_107`, and what they capture in a count of the process, and lists
functions in the order of a hash table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from kexport.factory.graph.protocols import AttrValue, FunctionDef, GraphDef, NodeDef

_ARGUMENT = "_user_specified_name"


def renumber(graph_def: GraphDef, others: Iterable[str] = ()) -> dict[str, str]:
    """Number the functions of a graph in the order in which it calls them, and list them in that order.

    Args:
        graph_def: the graph, which is changed.
        others: names of functions that are called from outside of the graph, in order.

    Returns:
        The new name of each function.
    """
    outside = dict.fromkeys(others)
    functions = {function.signature.name: function for function in graph_def.library.function}
    ordered: dict[str, FunctionDef] = {}
    pending = [iter([*_mentioned(graph_def.node), *outside, *sorted(functions)])]
    while pending:
        name = next(pending[-1], None)
        if name is None:
            pending.pop()
        elif name in functions and name not in ordered:
            ordered[name] = functions[name]
            pending.append(_mentioned(functions[name].node_def))
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
    for number, name in enumerate(ordered):
        if name not in outside:
            _name_arguments(functions[name], f"argument_{number}")
    for gradient in graph_def.library.gradient:
        gradient.function_name = names.get(gradient.function_name, gradient.function_name)
        gradient.gradient_func = names.get(gradient.gradient_func, gradient.gradient_func)
    order = {name: number for number, name in enumerate(names.values())}
    graph_def.library.function.sort(key=lambda function: order[function.signature.name])
    return names


def _name_arguments(function: FunctionDef, prefix: str) -> None:
    """Number the arguments of a function, which are called by their places, and what refers to them."""
    names = {each.name: f"{prefix}_{place}" for place, each in enumerate(function.signature.input_arg)}
    if not {node.name for node in function.node_def}.isdisjoint(names.values()):
        return
    for each in function.signature.input_arg:
        each.name = names[each.name]
    for node in function.node_def:
        node.input[:] = [_renamed(source, names) for source in node.input]
    for result, source in list(function.ret.items()):
        function.ret[result] = _renamed(source, names)


def _renamed(source: str, names: Mapping[str, str]) -> str:
    """An input of a node, `^NAME` or `NAME` or `NAME:PLACE`, with the new name of what it comes from."""
    name, colon, place = source.partition(":")
    control = "^" * name.startswith("^")
    name = name.removeprefix("^")
    return f"{control}{names.get(name, name)}{colon}{place}"


def _mentioned(nodes: Iterable[NodeDef]) -> Iterator[str]:
    """The names of functions that nodes call, and other names among them."""
    for node in nodes:
        yield node.op
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
