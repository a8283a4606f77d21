"""Protocols for a functional Keras model, as far as the propagation uses it: Keras ships no types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol


class GraphOperation(Protocol):
    """A layer or operation of a functional model (`keras.Operation`)."""

    name: str
    call: Callable[..., object]


class GraphTensor(Protocol):
    """A symbolic tensor (`keras.KerasTensor`)."""

    dtype: str


class GraphArguments(Protocol):
    """The arguments of a symbolic call (`keras.src.ops.symbolic_arguments.SymbolicArguments`)."""

    args: Sequence[object]
    kwargs: Mapping[str, object]


class GraphNode(Protocol):
    """One symbolic call (`keras.src.ops.node.Node`)."""

    is_input: bool
    operation: GraphOperation
    input_tensors: Sequence[GraphTensor]
    output_tensors: Sequence[GraphTensor]
    arguments: GraphArguments


class LayerGraph(Protocol):
    """A model that is a graph of layers (`keras.src.models.functional.Functional`)."""

    inputs: Sequence[GraphTensor]
    outputs: Sequence[GraphTensor]
    _nodes_by_depth: Mapping[int, Sequence[GraphNode]]
