"""Lookup tables that a graph of TF1 makes itself, as tables that it is given.

Such a graph holds an operation for each table, and another one, which loading runs, that fills it. A function that is
traced around it would carry the first along without the second: its tables would be empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kexport.errors import ModelError, reason
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.trace.protocols import GraphVariable, InputSpec, LookupTable, ServingFunction

_KIND = "HashTableV2"


@dataclass
class GivenTables:
    """A serving signature whose tables are given to it (`kexport.factory.trace.protocols.ServingFunction`).

    Attributes:
        structured_input_signature: that of the signature.
        structured_outputs: likewise.
        variables: likewise.
        tables: what it is given, each with the entries of the graph's own.
        names: the names of the other inputs, in the order in which `function` takes them.
        function: takes the inputs by their order, then the handles of the tables.
    """

    structured_input_signature: tuple[tuple[()], Mapping[str, InputSpec]]
    structured_outputs: Mapping[str, object]
    variables: Sequence[GraphVariable]
    tables: list[LookupTable]
    names: list[str]
    function: Any

    def __call__(self, **inputs: object) -> Mapping[str, Tensor]:
        """The outputs by name."""
        handles = [table.resource_handle for table in self.tables]
        outputs: Mapping[str, Tensor] = self.function(*(inputs[name] for name in self.names), *handles)
        return outputs


def given_tables(function: Any) -> ServingFunction:
    """The signature itself where its graph makes no table, else one that is given tables of the same entries.

    Args:
        function: a serving signature of a SavedModel of TF1, after its tables were filled.

    Raises:
        ModelError: nothing has filled a table.
    """
    own = [op for op in function.graph.get_operations() if op.type == _KIND]
    if not own:
        return function
    tables = [_filled(function, op) for op in own]
    names = list(function._arg_keywords)
    outputs: Mapping[str, Tensor] = function.structured_outputs
    pruned = function.prune(
        [*function.inputs[: len(names)], *(op.outputs[0] for op in own)],
        {name: _with_shape(tensor) for name, tensor in outputs.items()},
    )
    return GivenTables(function.structured_input_signature, outputs, list(function.variables), tables, names, pruned)


def _with_shape(tensor: Tensor) -> object:
    """What tells TensorFlow a tensor and its shape; pruning forgets the shape of what lies behind a variable."""
    from tensorflow.core.protobuf import meta_graph_pb2

    return meta_graph_pb2.TensorInfo(
        name=tensor.name, dtype=tensor.dtype.as_datatype_enum, tensor_shape=tensor.shape.as_proto()
    )


def _filled(function: Any, op: Operation) -> LookupTable:
    """A table with the entries of one that the graph makes."""
    import tensorflow as tf

    dtypes = {"Tkeys": op.get_attr("key_dtype"), "Tvalues": op.get_attr("value_dtype")}
    try:
        entries = tf.raw_ops.LookupTableExportV2(table_handle=function.prune([], op.outputs[0])(), **dtypes)
    except tf.errors.AbortedError as error:
        raise ModelError(
            f"the lookup table {op.name!r} of the SavedModel is empty",
            got=reason(error),
            expected="a SavedModel whose loading fills its tables",
            hint="save it with legacy_init_op=tf.compat.v1.tables_initializer()",
        ) from error
    initializer = tf.lookup.KeyValueTensorInitializer(entries.keys, entries.values)
    default = tf.zeros((), entries.values.dtype) if entries.values.dtype != tf.string else tf.constant("")
    table: LookupTable = tf.lookup.StaticHashTable(initializer, default)  # each lookup has a default of its own
    return table
