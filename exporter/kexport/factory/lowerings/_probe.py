"""Values that a graph computes from the sizes of its tensors, evaluated before the graph runs.

TensorFlow's `tf.get_static_value` gives up at arithmetic. The values wanted here depend on no dynamic size in the end
(a difference of sizes, say), or on known ones only: any number will do for a dynamic size.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Tensor

SIZE = 60  # stands for a dynamic size


def probed(tensors: Sequence[Tensor]) -> list[Array] | None:
    """The values, with `SIZE` for every dynamic size; None if they depend on anything but sizes."""
    import tensorflow as tf

    constants = [tf.get_static_value(tensor) for tensor in tensors]
    if all(value is not None for value in constants):
        return constants
    shapes = _shapes_above(tensors)
    if shapes is None:
        return None
    with tf.compat.v1.Session(graph=tensors[0].graph) as session:
        values: list[Array] = session.run(list(tensors), {it.name: _sizes(it) for it in shapes})
    return values


def _sizes(shape: Tensor) -> list[int]:
    static = shape.op.inputs[0].shape
    if static.rank is None:
        return [SIZE] * int(shape.shape[0])
    return [SIZE if size is None else size for size in static]


def _shapes_above(tensors: Sequence[Tensor]) -> list[Tensor] | None:
    """The outputs of the Shape operations that these are computed from; None if they depend on anything else."""
    shapes, pending, seen = [], [tensor.op for tensor in tensors], set()
    while pending:
        op = pending.pop()
        if op.name in seen:
            continue
        seen.add(op.name)
        if op.type == "Shape":
            shapes.append(op.outputs[0])
        elif op.type != "Const" and not op.inputs:
            return None
        else:
            pending += [tensor.op for tensor in op.inputs]
    return shapes
