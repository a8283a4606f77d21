"""Functions in an ONNX file: the runtime writes the body of each in place of every call, before it does anything else.

Thirty functions that call each other twice would become a billion nodes.
"""

from __future__ import annotations

import graphlib
from collections import Counter
from collections.abc import Mapping

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.onnx_rows import GraphRows

#: Domain, name and overload of an operator.
Name = tuple[str, str, str]
#: How often each operator occurs.
Calls = Counter[Name]


def require_few_calls(graph: GraphRows, functions: Mapping[Name, GraphRows], most: int) -> None:
    """Raise `FlawError` where a function leads back to itself, or where functions in place are too many nodes.

    Args:
        graph: that of the model itself.
        functions: the body of each function.
        most: how many nodes there may be, with all functions in place.
    """
    bodies = {name: _calls(body) for name, body in functions.items()}
    used = {name: [other for other in calls if other in functions] for name, calls in bodies.items()}
    sizes: dict[Name, int] = {}
    try:
        for name in graphlib.TopologicalSorter(used).static_order():
            sizes[name] = _size(bodies[name], sizes)
    except graphlib.CycleError as error:
        circle = " > ".join(repr(name) for _, name, _ in error.args[1][:4])
        raise FlawError("the functions", f"{circle} call each other in a circle", "none that calls itself") from None
    size = _size(_calls(graph), sizes)
    if size > most:
        raise FlawError("the number of nodes with all functions in place", size, f"at most {most}")


def _calls(graph: GraphRows) -> Calls:
    """How often a graph calls each operator, in the graphs within it too."""
    calls = Calls(node.operator for node in graph.nodes)
    for node in graph.nodes:
        for inner in node.graphs.values():
            calls.update(_calls(inner))
    return calls


def _size(calls: Calls, sizes: Mapping[Name, int]) -> int:
    """The number of nodes with all functions in place."""
    return sum(count * (1 + sizes.get(name, 0)) for name, count in calls.items())
