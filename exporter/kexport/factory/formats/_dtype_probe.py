"""Which other dtype a converter has an operation for: found by writing that operation alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kexport.factory.graph.protocols import GraphDef, Operation, Tensor

#: For the dtype of a refused operation, those worth trying in its place, the least change first.
_CANDIDATES: Mapping[str, Sequence[str]] = {
    "float64": ("float32",),
    "int64": ("int32", "float32"),
    "int32": ("float32",),
    **dict.fromkeys(("uint64", "uint32", "uint16", "uint8", "int16", "int8", "bool"), ("int32", "float32")),
}

#: Whether a converter writes a graph, given its inputs and outputs.
Writes = Callable[[GraphDef, Sequence[Tensor], Sequence[Tensor]], bool]


def writable_as(op: Operation, writes: Writes) -> str | None:
    """The first dtype for which a converter writes the operation; None if there is none."""
    name = next((arg.type_attr for arg in (*op.op_def.output_arg, *op.op_def.input_arg) if arg.type_attr), "")
    if not name:
        return None
    return next(
        (dtype for dtype in _CANDIDATES.get(op.get_attr(name).name, ()) if _written(op, name, dtype, writes)), None
    )


def _written(op: Operation, name: str, dtype: str, writes: Writes) -> bool:
    """Whether the operation is written with another dtype as the value of its attribute of this name."""
    import tensorflow as tf

    old, new = op.get_attr(name), tf.as_dtype(dtype)
    declared = {attr.name for attr in op.op_def.attr}
    attrs: dict[str, Any] = {key: value for key, value in op.node_def.attr.items() if key in declared}
    attrs[name] = type(attrs[name])(type=new.as_datatype_enum)
    with tf.Graph().as_default() as graph:
        inputs, free = [], []
        for tensor in op.inputs:
            kind = new if tensor.dtype == old else tensor.dtype
            value = tf.get_static_value(tensor)
            if value is not None:
                inputs.append(tf.constant(value.astype(kind.as_numpy_dtype)))
            else:
                free.append(tf.compat.v1.placeholder(kind, tensor.shape))
                inputs.append(free[-1])
        dtypes = [new if tensor.dtype == old else tensor.dtype for tensor in op.outputs]
        try:
            made = graph.create_op(op.type, inputs, dtypes, attrs=attrs, op_def=op.op_def)
        except (ValueError, TypeError):  # TensorFlow has no such operation, or its indices have the dtype too
            return False
        return bool(free) and writes(graph.as_graph_def(), free, made.outputs)
