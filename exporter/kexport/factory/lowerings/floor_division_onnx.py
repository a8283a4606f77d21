"""Floored division and its remainder, which tf2onnx truncates (integers) or rounds wrongly (large quotients of floats).

ONNX has both remainders of integers: `Mod` has the sign of the divisor, `Mod` with `fmod` that of the dividend. Where
they differ, the truncated quotient is one too large. Of floats there is the latter alone; where its sign is not the
divisor's, the divisor is added.
Source: Boute, The Euclidean Definition of the Functions div and mod, ACM TOPLAS 14 (1992);
https://onnx.ai/onnx/operators/onnx__Mod.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Shape, Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.onnx_nodes import onnx_node


def _remainder(x: Tensor, y: Tensor, shape: Shape, fmod: int) -> Tensor:
    return onnx_node("Mod", [x, y], [(x.dtype, shape)], {"fmod": fmod})[0]


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, y = inputs
    shape = tf.broadcast_static_shape(x.shape, y.shape)
    if op.type == "FloorDiv":
        off = tf.not_equal(_remainder(x, y, shape, 0), _remainder(x, y, shape, 1))
        return [tf.truncatediv(x, y) - tf.cast(off, x.dtype)]
    if x.dtype.is_integer:
        return [_remainder(x, y, shape, 0)]
    remainder = _remainder(x, y, shape, 1)
    return [tf.where(tf.sign(remainder) * tf.sign(y) < 0, remainder + y, remainder)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    """Whether the dividend can be negative: not if it counts elements of an axis."""
    dtype = inputs[0].dtype
    if op.type == "FloorDiv":
        return bool(dtype.is_integer and not dtype.is_unsigned and not _is_count(inputs[0]))
    return not _is_count(inputs[0])


def _is_count(tensor: Tensor) -> bool:
    """Whether a tensor is made of sizes of axes."""
    if tensor.op.type in ("StridedSlice", "Identity", "Cast", "GatherV2", "Squeeze", "Reshape", "Prod"):
        return _is_count(tensor.op.inputs[0])
    return tensor.op.type in ("Shape", "Size")


LOWERING = Lowering("floor_division_onnx", ("onnx",), ("FloorDiv", "FloorMod"), _emit, _applies)
