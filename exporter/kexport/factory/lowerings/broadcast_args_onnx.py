"""The shape that two shapes broadcast to, which tf2onnx does not map.

The shorter one gets ones in front; of two sizes the one that is not 1 stays.
Source: TensorFlow's `BroadcastArgs`; https://numpy.org/doc/stable/user/basics.broadcasting.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    rank = max(tensor.shape[0] for tensor in inputs)
    one, other = (
        tf.concat([tf.ones([rank - tensor.shape[0]], tensor.dtype), tensor], 0) for tensor in inputs
    )  # fmt: skip
    return [tf.where(tf.equal(one, 1), other, one)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return all(tensor.shape.is_fully_defined() for tensor in inputs)


LOWERING = Lowering("broadcast_args_onnx", ("onnx",), ("BroadcastArgs",), _emit, _applies)
