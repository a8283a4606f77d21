"""Values inside the traced function on given inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Tensor
from kexport.factory.trace.program import Program
from kexport.runtimes.keras_model import to_array

#: The values of some tensors of the graph, from the flat inputs.
Fetch = Callable[[Sequence[Tensor]], list[Array]]


def fetch_of(program: Program, tensors: Sequence[Tensor]) -> Fetch:
    """A function from flat inputs to the values of tensors of the traced graph."""
    import tensorflow as tf

    graph = program.core.graph
    definition = graph.as_graph_def()
    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(definition, name=""), [])
    captures = [(outer, inner) for outer, inner in graph.captures if inner.op.type == "Placeholder"]
    inputs = [tensor.name for tensor in graph.inputs[: len(program.signature.inputs)]]
    named = [*inputs, *(inner.name for _, inner in captures)]
    pruned = wrapped.prune(
        [wrapped.graph.get_tensor_by_name(name) for name in named],
        [wrapped.graph.get_tensor_by_name(tensor.name) for tensor in tensors],
    )
    held = [outer for outer, _ in captures]

    def fetch(inputs: Sequence[Tensor]) -> list[Array]:
        return [to_array(value) for value in pruned(*inputs, *held)]

    return fetch
