"""Functions in an ONNX file: the runtime writes the body of each in place of every call, before it does anything else.

Thirty functions that call each other twice would become a billion nodes.
"""

from __future__ import annotations

import graphlib
from collections import Counter
from collections.abc import Mapping

from kexport.runtimes.soundness.flaw import FlawError

#: Domain, name and overload of an operator.
Name = tuple[str, str, str]
#: How often each operator occurs.
Calls = Counter[Name]


def require_few_calls(graph: Calls, functions: Mapping[Name, Calls], most: int) -> None:
    """Raise `FlawError` where a function leads back to itself, or where functions in place are too many nodes.

    Args:
        graph: the operators of the model itself.
        functions: those of each function.
        most: how many nodes there may be, with all functions in place.
    """
    used = {name: [other for other in calls if other in functions] for name, calls in functions.items()}
    sizes: dict[Name, int] = {}
    try:
        for name in graphlib.TopologicalSorter(used).static_order():
            sizes[name] = _size(functions[name], sizes)
    except graphlib.CycleError as error:
        circle = " > ".join(repr(name) for _, name, _ in error.args[1][:4])
        raise FlawError("the functions", f"{circle} call each other in a circle", "none that calls itself") from None
    size = _size(graph, sizes)
    if size > most:
        raise FlawError("the number of nodes with all functions in place", size, f"at most {most}")


def _size(calls: Calls, sizes: Mapping[Name, int]) -> int:
    """The number of nodes with all functions in place."""
    return sum(count * (1 + sizes.get(name, 0)) for name, count in calls.items())
