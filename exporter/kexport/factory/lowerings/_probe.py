"""Numbers that a graph computes from the sizes of its tensors, before it runs.

TensorFlow's own `tf.get_static_value` gives up at arithmetic. What is wanted here depends on no dynamic size in the
end (a difference of sizes, say), or on known ones only: any size will do for those that are dynamic.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Tensor

SIZE = 60  # stands for a dynamic size


def probed(tensors: Sequence[Tensor]) -> list[Array] | None:
    """The values, with a made-up size where they depend on a dynamic one; None if they depend on anything else."""
    import tensorflow as tf

    found = [tf.get_static_value(tensor) for tensor in tensors]
    if all(value is not None for value in found):
        return found
    shapes = _shapes_above(tensors)
    if shapes is None:
        return None
    with tf.compat.v1.Session(graph=tensors[0].graph) as session:
        values: list[Array] = session.run(list(tensors), {it.name: _sizes(it) for it in shapes})
    return values


def _sizes(shape: Tensor) -> list[int]:
    known = shape.op.inputs[0].shape
    if known.rank is None:
        return [SIZE] * int(shape.shape[0])
    return [SIZE if size is None else size for size in known]


def _shapes_above(tensors: Sequence[Tensor]) -> list[Tensor] | None:
    """The outputs of the Shape operations that these are computed from; None if they depend on anything else."""
    found, pending, seen = [], [tensor.op for tensor in tensors], set()
    while pending:
        op = pending.pop()
        if op.name in seen:
            continue
        seen.add(op.name)
        if op.type == "Shape":
            found.append(op.outputs[0])
        elif op.type != "Const" and not op.inputs:
            return None
        else:
            pending += [tensor.op for tensor in op.inputs]
    return found
