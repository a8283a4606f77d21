"""The layers of a traced model as a graph: what each call gives, under which names, and whose results it takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kexport.factory.localisation.layer_calls import Call
from kexport.factory.trace.program import Program


@dataclass(frozen=True)
class Step:
    """One call of a layer in the traced graph.

    Attributes:
        key: of the call.
        name: as people read it: the layer's path, with the number of the call where there are several.
        kind: the layer's class.
        scope: in the graph.
        tensors: the names in the graph of what it gives.
        feeds: names of the steps whose results it takes.
        same_as: the step whose results it passes on as they are.
        work_of: layers around it that work on what it takes, before it does.
        recurrent: whether the layer is one.
    """

    key: tuple[str, int]
    name: str
    kind: str
    scope: str
    tensors: tuple[str, ...]
    feeds: tuple[str, ...]
    same_as: str = ""
    work_of: tuple[str, ...] = ()
    recurrent: bool = False


def steps(program: Program, run: Sequence[Call]) -> list[Step]:
    """The calls of the run in which the program was traced, in order."""
    calls = [call for call in run if call.outputs and all(_of(program, each) for each in call.outputs)]
    several = {call.path for call in run if call.number > 1}
    around = {call.scope: call.path for call in calls}
    owners: dict[str, str] = {}
    found = []
    for call in calls:
        name = f"{call.path} #{call.number}" if call.path in several else call.path
        tensors = tuple(each.name for each in call.outputs)
        same = owners[tensors[0]] if all(tensor in owners for tensor in tensors) else ""
        feeds, passed = _sources(call.outputs, owners)
        for tensor in tensors:
            owners.setdefault(tensor, name)
        work = {around.get(owner_scope(each, around), "") for each in passed}
        outer = tuple(path for path in sorted(work) if path and call.path.startswith(path + "/"))
        found.append(Step(call.key, name, call.kind, call.scope, tensors, feeds, same, outer, call.recurrent))
    return found


def _of(program: Program, tensor: Any) -> bool:
    """Whether the tensor is one of the traced graph, and not of a function that the graph calls."""
    return getattr(tensor, "graph", None) is program.core.graph


def owner_scope(name: str, scopes: Collection[str]) -> str:
    """The innermost of the scopes that a name in the graph lies in, an empty text when it lies in none."""
    while name:
        if name in scopes:
            return name
        name = name.rpartition("/")[0]
    return ""


def _sources(tensors: Sequence[Any], owners: Mapping[str, str]) -> tuple[tuple[str, ...], list[str]]:
    """The nearest steps whose results the tensors are made from, and the operations on the way."""
    found: dict[str, None] = {}
    passed: dict[str, None] = {}
    waiting = list(tensors)
    while waiting:
        tensor = waiting.pop()
        if tensor.name in owners:
            found[owners[tensor.name]] = None
        elif tensor.op.name not in passed:
            passed[tensor.op.name] = None
            waiting += tensor.op.inputs
    return tuple(found), list(passed)


def outputs(program: Program) -> dict[str, str]:
    """Of each output of the model: the name in the graph of the tensor that a layer, if one does, gives."""
    names = {}
    for spec, tensor in zip(program.signature.outputs, program.core.structured_outputs, strict=True):
        while tensor.op.type == "Identity":  # what a function returns
            tensor = tensor.op.inputs[0]
        names[spec.name] = tensor.name
    return names
