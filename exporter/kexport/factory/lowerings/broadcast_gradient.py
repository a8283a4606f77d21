"""Gradients of what was broadcast: summed over the axes where the tensor has size 1 and the other has not.

TensorFlow computes these axes from the sizes when the model runs. Here every axis stays, and one whose sizes are both
unknown is summed or left as it is by a choice between the two.
Source: TensorFlow's `BroadcastGradientArgs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.graph.broadcast_sizes import Broadcast
from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Any]) -> Sequence[Tensor | Broadcast]:
    if op.type == "BroadcastGradientArgs":
        own, other = (_sizes(vector) for vector in inputs)
        return [Broadcast(own, other), Broadcast(other, own)]
    return [_summed(*inputs)]


def _sizes(vector: Tensor) -> list[Size]:
    from tensorflow.python.framework import tensor_util

    static = tensor_util.constant_value_as_shape(vector).as_list()
    return [vector[axis] if size is None else size for axis, size in enumerate(static)]


def _summed(x: Tensor, broadcast: Broadcast) -> Tensor:
    """The tensor, each axis of which has the size it had before it was broadcast, or 1 where there was none."""
    import tensorflow as tf

    rank = max(len(broadcast.own), len(broadcast.other))
    ones: list[list[Size]] = [[1] * (rank - len(sizes)) for sizes in (broadcast.own, broadcast.other)]
    own, other = [*ones[0], *broadcast.own], [*ones[1], *broadcast.other]
    certain = [axis for axis in range(rank) if isinstance(own[axis], int) and own[axis] == 1]
    x = tf.reduce_sum(x, certain, keepdims=True) if certain else x
    for axis in range(rank):
        if isinstance(own[axis], int) or (isinstance(other[axis], int) and other[axis] == 1):
            continue
        chosen = tf.where(tf.equal(own[axis], 1), tf.reduce_sum(x, axis, keepdims=True), x)
        sizes = [own[axis] if at == axis else -1 for at in range(rank)]
        x = tf.slice(chosen, [0] * rank, tf.stack(sizes))
    return x


def _applies(op: Operation, inputs: Sequence[Any]) -> bool:
    if op.type == "BroadcastGradientArgs":
        return not any(isinstance(vector, Broadcast) or vector.shape[0] is None for vector in inputs)
    users = op.outputs[0].consumers()
    return isinstance(inputs[1], Broadcast) and all(user.type == "Reshape" for user in users)


LOWERING = Lowering(
    "broadcast_gradient",
    ("onnx", "tflite"),
    ("BroadcastGradientArgs", "Sum"),
    _emit,
    _applies,
    before=("narrow_integers_onnx", "sum_of_integers_tflite"),
)
