"""Scattering with a reduction, so that indices which occur twice count twice: tf2onnx lets the last one win.

The axes that are indexed become one, its places are numbered row by row, and `ScatterElements` with a reduction does
the rest.
Source: TensorFlow's `ScatterNd` and `TensorScatterAdd`; https://onnx.ai/onnx/operators/onnx__ScatterElements.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings._scatter import scattered

_REDUCTIONS = {
    "ScatterNd": "add",
    "TensorScatterAdd": "add",
    "TensorScatterSub": "add",
    "TensorScatterMax": "max",
    "TensorScatterMin": "min",
}


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    if op.type == "ScatterNd":
        indices, updates, shape = inputs
        static = op.outputs[0].shape
        target = tf.zeros(shape, updates.dtype)
        target.set_shape(tf.TensorShape(tf.get_static_value(shape, partial=True)).merge_with(static))
    else:
        target, indices, updates = inputs
    if op.type == "TensorScatterSub":
        updates = -updates
    return [_scattered(target, indices, updates, _REDUCTIONS[op.type])]


def _scattered(target: Tensor, indices: Tensor, updates: Tensor, reduction: str) -> Tensor:
    import tensorflow as tf

    depth = _depth(target, indices, updates)
    shape = tf.shape(target, out_type=tf.int64)
    inner = tf.reduce_prod(shape[depth:])
    strides = tf.math.cumprod(shape[:depth], exclusive=True, reverse=True)
    places = tf.reshape(tf.reduce_sum(tf.cast(indices, tf.int64) * strides, -1), (-1,))
    rows = tf.reshape(target, tf.stack([tf.reduce_prod(shape[:depth]), inner]))
    updates = tf.reshape(updates, tf.stack([tf.size(places, tf.int64), inner]))
    return tf.ensure_shape(tf.reshape(scattered(rows, places, updates, reduction), shape), target.shape)


def _depth(target: Tensor, indices: Tensor, updates: Tensor) -> int:
    """How many axes are indexed."""
    if indices.shape[-1] is not None:
        return int(indices.shape[-1])
    return int(target.shape.rank - updates.shape.rank + indices.shape.rank - 1)


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    indices = inputs[0] if op.type == "ScatterNd" else inputs[1]
    static = indices.shape.rank is not None and (indices.shape[-1] or None not in _ranks(op, inputs))
    return bool(static) and indices.shape[-1] != 0 and op.outputs[0].dtype.name != "string"


def _ranks(op: Operation, inputs: Sequence[Tensor]) -> list[int | None]:
    """Numbers of axes of the target and the updates."""
    if op.type == "ScatterNd":
        return [inputs[2].shape[0] if inputs[2].shape.rank else None, inputs[1].shape.rank]
    return [inputs[0].shape.rank, inputs[2].shape.rank]


LOWERING = Lowering("scatter_onnx", ("onnx",), tuple(_REDUCTIONS), _emit, _applies)
