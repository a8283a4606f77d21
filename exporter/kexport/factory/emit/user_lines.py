"""The line of the user's code that made each operation of a traced graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kexport.code_places import CodePlace, is_user_code
from kexport.factory.graph.protocols import Graph, Operation

_KEPT = ("Const", "Placeholder", "Identity", "NoOp", "ReadVariableOp")
_OF_LAYERS = "keras/src/layers/layer.py"
_CORRECTIONS = "/factory/corrections/"
_PACKAGE = Path(__file__).resolve().parents[2].as_posix()


def user_lines(graph: Graph) -> dict[str, str]:
    """For each operation, by emitted name, the `FILE:LINE` of the user's own code that made it in its layer, or "".

    A name in a function that is called has the name of the call before it, as when the function is inlined.
    """
    return dict(_lines(graph, graph, ""))


def _lines(graph: Graph, outermost: Graph, prefix: str) -> Iterator[tuple[str, str]]:
    for op in graph.get_operations():
        if op.type in _KEPT:
            continue
        yield prefix + op.name, _line(op)
        inlined = op.type.endswith("PartitionedCall")
        for name in _called(op):
            function = graph._functions.get(name) or outermost._functions.get(name)
            body = getattr(function, "graph", None)
            if body is not None:
                yield from _lines(body, outermost, f"{prefix}{op.name}/" if inlined else prefix)


def _called(op: Operation) -> Iterator[str]:
    for value in op.node_def.attr.values():
        yield from (name for name in (value.func.name, *(each.name for each in value.list.func)) if name)


def _line(op: Operation) -> str:
    """The innermost line of the user's code that is nearer to the operation than the call of its layer."""
    if op.traceback is None:  # of a graph that was read from a file
        return ""
    for frame in reversed(op.traceback.get_user_frames()):
        path = frame.filename.replace("\\", "/")
        if path.endswith(_OF_LAYERS) or (path.startswith(_PACKAGE) and _CORRECTIONS not in path):
            break
        if is_user_code(frame.filename):
            return str(CodePlace(frame.filename, frame.lineno))
    return ""
