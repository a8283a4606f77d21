"""Squeezing in TFLite: before a transposition rather than after it, and by axes counted from the start.

The converter itself moves a transposition over the squeezing that follows it, as channels-first 1-D convolutions
have it, but renumbers the axes wrongly where they are counted from the end or sizes are dynamic. Axis `a` of
`transpose(x, perm)` is axis `perm[a]` of x; what is left keeps its order.
Source: TensorFlow, documentation of tf.squeeze and tf.transpose.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    axes = op.get_attr("squeeze_dims")
    transposed = inputs[0].op.type == "Transpose"
    return bool(inputs[0].shape.rank is not None and axes and (transposed or min(axes) < 0))


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    axes = [axis % x.shape.rank for axis in op.get_attr("squeeze_dims")]
    permutation = tf.get_static_value(x.op.inputs[1]) if x.op.type == "Transpose" else None
    if permutation is None:
        return [tf.squeeze(x, axes)]
    gone = sorted(int(permutation[axis]) for axis in axes)
    kept = [int(source) for source in permutation if source not in gone]
    return [tf.transpose(tf.squeeze(x.op.inputs[0], gone), [sorted(kept).index(source) for source in kept])]


LOWERING = Lowering("squeeze_tflite", ("tflite",), ("Squeeze",), _emit, _applies)
