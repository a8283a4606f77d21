"""The operations of a graph and of all functions that it calls."""

from __future__ import annotations

from collections.abc import Iterator

from kexport.factory.graph.protocols import Graph, Operation


def every_operation(graph: Graph) -> Iterator[Operation]:
    """The operations of the graph, and of the functions that it calls, and so on."""
    yield from graph.get_operations()
    for function in graph._functions.values():
        inner = getattr(function, "graph", None)  # one made before TensorFlow 2 has none
        if inner is not None:
            yield from every_operation(inner)
