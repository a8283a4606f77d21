"""The layers of a traced model as a graph: the tensors of each call, and the calls whose results it takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kexport.factory.graph.protocols import Tensor
from kexport.factory.localisation.layer_calls import Call, CallSite
from kexport.factory.trace.program import Program


@dataclass(frozen=True)
class TracedCall:
    """One call of a layer in the traced graph.

    Attributes:
        site: which call of which layer.
        name: as people read it: the layer's path, with the number of the call where there are several.
        scope: its scope in the graph.
        tensors: the names in the graph of its outputs.
        feeds: names of the calls whose results it takes.
        same_as: the call whose results it passes on unchanged.
        work_of: layers around it that transform its inputs before it does.
    """

    site: CallSite
    name: str
    scope: str
    tensors: tuple[str, ...]
    feeds: tuple[str, ...]
    same_as: str = ""
    work_of: tuple[str, ...] = ()


def traced_calls(program: Program, run: Sequence[Call]) -> list[TracedCall]:
    """The calls of the run in which the program was traced, in order."""
    calls = [call for call in run if call.outputs and all(_in_graph(program, each) for each in call.outputs)]
    several = {call.site.path for call in run if call.site.number > 1}
    around = {call.scope: call.site.path for call in calls}
    owners: dict[str, str] = {}
    traced = []
    for call in calls:
        path = call.site.path
        name = f"{path} #{call.site.number}" if path in several else path
        tensors = tuple(each.name for each in call.outputs)
        same = owners[tensors[0]] if all(tensor in owners for tensor in tensors) else ""
        feeds, operations = _sources(call.outputs, owners)
        for tensor in tensors:
            owners.setdefault(tensor, name)
        work = {around.get(owner_scope(each, around), "") for each in operations}
        outer = tuple(each for each in sorted(work) if each and path.startswith(each + "/"))
        traced.append(TracedCall(call.site, name, call.scope, tensors, feeds, same, outer))
    return traced


def _in_graph(program: Program, tensor: object) -> bool:
    """Whether the tensor belongs to the traced graph, not to a function that the graph calls."""
    return getattr(tensor, "graph", None) is program.core.graph


def owner_scope(name: str, scopes: Collection[str]) -> str:
    """The innermost of the scopes that contain a name in the graph; empty when none does."""
    while name:
        if name in scopes:
            return name
        name = name.rpartition("/")[0]
    return ""


def _sources(tensors: Sequence[Tensor], owners: Mapping[str, str]) -> tuple[tuple[str, ...], list[str]]:
    """The nearest calls from whose results the tensors are computed, and the operations in between."""
    nearest: dict[str, None] = {}
    operations: dict[str, None] = {}
    waiting = list(tensors)
    while waiting:
        tensor = waiting.pop()
        if tensor.name in owners:
            nearest[owners[tensor.name]] = None
        elif tensor.op.name not in operations:
            operations[tensor.op.name] = None
            waiting += tensor.op.inputs
    return tuple(nearest), list(operations)


def input_tensors(program: Program, names: Sequence[str]) -> dict[str, str]:
    """The names of the inputs, by the name in the graph of the tensor that holds each."""
    return {tensor.name: name for tensor, name in zip(program.core.graph.inputs, names, strict=False)}


def output_tensors(program: Program) -> dict[str, str]:
    """The name in the graph of the tensor behind each output of the model: a layer's, if a layer gives it."""
    names = {}
    for spec, tensor in zip(program.signature.outputs, program.core.structured_outputs, strict=True):
        while tensor.op.type == "Identity":  # what a function returns
            tensor = tensor.op.inputs[0]
        names[spec.name] = tensor.name
    return names
