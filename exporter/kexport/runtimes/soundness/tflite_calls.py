"""Operators that run other subgraphs: number and types of what goes in and comes out, and no subgraph within itself."""

from __future__ import annotations

import graphlib
from collections.abc import Sequence

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.tflite_schema import BOOL, TYPE_NAMES, OperatorRow, SubgraphRows, TensorRow

_DEEPEST = 64
_FIELDS = (
    "then_subgraph_index",
    "else_subgraph_index",
    "cond_subgraph_index",
    "body_subgraph_index",
    "init_subgraph_index",
    "comparator_subgraph_index",
    "update_computation_subgraph_index",
    "decomposition_subgraph_index",
    "subgraph",
)


def check_calls(subgraphs: Sequence[SubgraphRows]) -> None:
    """Raise `FlawError` where an operator runs a subgraph that does not fit it, or that leads back to its own."""
    called: list[set[int]] = []
    for subgraph in subgraphs:
        called.append(set())
        for number, operator in enumerate(subgraph.operators):
            targets = {field: operator.options[field] for field in _FIELDS if field in operator.options}
            if not targets:
                continue
            place = f"operator {number} of {subgraph.place} ({operator.name})"
            for field, index in targets.items():
                if not isinstance(index, int) or not 0 <= index < len(subgraphs):
                    raise FlawError(f"the {field} of {place}", index, f"one of {len(subgraphs)}")
                called[-1].add(index)
            _check_fit(place, operator, subgraph.tensors, {f: subgraphs[int(str(i))] for f, i in targets.items()})
    _require_no_circle(called)


def _check_fit(
    place: str, operator: OperatorRow, tensors: Sequence[TensorRow], targets: dict[str, SubgraphRows]
) -> None:
    inputs = [tensors[index] for index in operator.inputs if index >= 0]
    outputs = [tensors[index] for index in operator.outputs]
    for field, target in targets.items():
        given = [target.tensors[index] for index in target.inputs]
        result = [target.tensors[index] for index in target.outputs]
        if field == "init_subgraph_index":
            _require_types(f"{target.place}, which {place} runs", "inputs", given, [])
        elif field in ("then_subgraph_index", "else_subgraph_index"):
            _require_types(f"{target.place}, which {place} runs", "inputs", given, inputs[1:])
            _require_types(f"{target.place}, which {place} runs", "outputs", result, outputs)
        elif field == "cond_subgraph_index":
            _require_types(f"{target.place}, which {place} runs", "inputs", given, inputs)
            if len(result) != 1 or result[0].type != BOOL:
                raise FlawError(f"the outputs of {target.place}", f"{len(result)}", "one truth value")
        elif field == "body_subgraph_index" and operator.name == "WHILE":
            _require_types(f"{target.place}, which {place} runs", "inputs", given, inputs)
            _require_types(f"{target.place}, which {place} runs", "outputs", result, inputs)
            _require_types(place, "outputs", outputs, inputs)


def _require_types(place: str, side: str, got: Sequence[TensorRow], expected: Sequence[TensorRow]) -> None:
    types, wanted = ([TYPE_NAMES[tensor.type] for tensor in tensors] for tensors in (got, expected))
    if types != wanted:
        raise FlawError(f"the {side} of {place}", ", ".join(types) or "none", ", ".join(wanted) or "none")


def _require_no_circle(called: Sequence[set[int]]) -> None:
    """Raise `FlawError` where a subgraph leads back to itself, or is too deep for what runs one within another."""
    depths: dict[int, int] = {}
    try:
        for index in graphlib.TopologicalSorter(dict(enumerate(called))).static_order():
            depths[index] = 1 + max((depths[target] for target in called[index]), default=0)
    except graphlib.CycleError as error:
        circle = f"{sorted(set(error.args[1]))} run each other in a circle"
        raise FlawError("the subgraphs", circle, "none that runs itself") from None
    if max(depths.values(), default=0) > _DEEPEST:
        raise FlawError("the subgraphs within subgraphs", f"more than {_DEEPEST} deep", "fewer")
