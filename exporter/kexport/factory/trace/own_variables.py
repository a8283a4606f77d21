"""Variables that a graph of TF1 holds itself, by reference, as variables that the function captures.

An operation of such a graph is the variable, and loading puts a value into it. A function that is traced around it
would carry the operation along without the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kexport.errors import ModelError
from kexport.factory.graph.protocols import Operation, Tensor

_KINDS = ("VariableV2", "Variable")


def captured_variables(function: Any) -> Any:
    """The signature itself where its graph holds no variable, else one that captures variables of the same values.

    Args:
        function: a serving signature of a SavedModel of TF1, after its variables were restored.

    Raises:
        ModelError: the signature assigns a variable.
    """
    import tensorflow as tf

    own = [op for op in function.graph.get_operations() if op.type in _KINDS]
    if not own:
        return function
    for op in own:
        _require_unassigned(op)
    with function.graph.as_default():
        reads = [tf.identity(op.outputs[0]) for op in own]  # a reference cannot leave a function
    values = function.prune([], reads)()
    variables = {op.outputs[0].name: tf.Variable(value, name=op.name) for op, value in zip(own, values, strict=True)}
    names, outputs = list(function._arg_keywords), function.structured_outputs
    body = _Body(function, names, outputs, variables)
    declared = function.structured_input_signature
    wrapped = tf.compat.v1.wrap_function(body, [declared[1][name] for name in names])
    wrapped._arg_keywords, wrapped._num_positional_args = names, 0
    wrapped._func_graph.structured_input_signature = declared
    wrapped.held = variables  # a function refers to what it captures, but does not own it
    return wrapped


class _Body:
    """What a function of the same operations computes, within a graph that is being made.

    Args:
        function: the signature.
        names: of its inputs, in their order.
        outputs: its outputs by name.
        variables: what takes the place of the tensors of these names.
    """

    def __init__(
        self, function: Any, names: list[str], outputs: Mapping[str, Tensor], variables: Mapping[str, Any]
    ) -> None:
        self._inputs: list[Tensor] = function.inputs[: len(names)]
        self._captures: list[tuple[Tensor, Tensor]] = function.graph.captures
        self._watched: list[Any] = list(function.graph.variables)
        self._outputs = outputs
        self._variables = variables
        inner = [internal for _, internal in self._captures]
        given = {each.op.name for each in (*self._inputs, *inner)} | {name.removesuffix(":0") for name in variables}
        self._definition = _without(function.graph, outputs.values(), given)
        self._taken = {name.removesuffix(":0") for node in self._definition.node for name in node.input}

    def __call__(self, *arguments: Tensor) -> dict[str, Tensor]:
        """The outputs by name."""
        import tensorflow as tf

        graph: Any = tf.compat.v1.get_default_graph()
        given = dict(zip((each.name for each in self._inputs), arguments, strict=True))
        given |= {name: variable.read_value() for name, variable in self._variables.items()}
        given |= {internal.name: graph.capture(external) for external, internal in self._captures}
        for variable in self._watched:
            graph.watch_variable(variable)  # those that it captures already
        made = tf.graph_util.import_graph_def(
            self._definition,
            {name: tensor for name, tensor in given.items() if name.removesuffix(":0") in self._taken},
            [each.name for each in self._outputs.values() if each.name not in given],
            name="",
        )
        found = iter(made or ())
        results = {}
        for name, was in self._outputs.items():
            results[name] = tf.identity(given[was.name]) if was.name in given else next(found)
            results[name].set_shape(was.shape)  # importing forgets the shape of what lies behind a capture
        return results


def _require_unassigned(op: Operation) -> None:
    """Raise unless every operation that takes the variable only reads it."""
    for consumer in op.outputs[0].consumers():
        if any(output.dtype.name.endswith("_ref") for output in consumer.outputs):
            raise ModelError(
                f"the signature changes the variable {op.name!r} of TF1 when it is called",
                got=f"{consumer.type} {consumer.name!r}",
                expected="a signature that computes the same at every call",
                hint="save another signature, whose outputs do not depend on that operation",
            )


def _without(graph: Any, outputs: Iterable[Tensor], given: set[str]) -> Any:
    """The definition of what the outputs are made of, without the nodes of these names."""
    import tensorflow as tf

    with_names = [each.op.name for each in outputs]
    definition = tf.compat.v1.graph_util.extract_sub_graph(graph.as_graph_def(), with_names)
    kept = [node for node in definition.node if node.name not in given]
    del definition.node[:]
    definition.node.extend(kept)
    for node in definition.node:
        node.attr.pop("_class", None)  # where it is placed, beside a node that may be gone
    return definition
