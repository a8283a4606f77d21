"""What single operators demand of their operands and options, as far as their kernels do not check it themselves."""

from __future__ import annotations

from collections.abc import Sequence

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.tflite_schema import OperatorRow, SubgraphRows

#: The fields of options that name subgraphs.
_CALLED = (
    "then_subgraph_index",
    "else_subgraph_index",
    "cond_subgraph_index",
    "body_subgraph_index",
    "init_subgraph_index",
    "subgraph",
    "decomposition_subgraph_index",
    "comparator_subgraph_index",
    "update_computation_subgraph_index",
)


def check_kernels(subgraphs: Sequence[SubgraphRows], content: memoryview) -> None:
    """Raise `FlawError` where an operator would make its kernel crash."""
    for subgraph in subgraphs:
        for number, operator in enumerate(subgraph.operators):
            place = f"operator {number} of {subgraph.place} ({operator.name})"
            _check_calls(place, operator, subgraphs)


def _check_calls(place: str, operator: OperatorRow, subgraphs: Sequence[SubgraphRows]) -> None:
    for field in _CALLED:
        index = operator.options.get(field)
        if isinstance(index, int) and not 0 <= index < len(subgraphs):
            raise FlawError(f"the {field} of {place}", index, f"one of {len(subgraphs)}")
