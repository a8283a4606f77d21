"""Reversal along axes: one Slice with steps of -1, and none at all where the input was just reversed along them.

tf2onnx takes several nodes; a reversal that undoes another (the backward half of a bidirectional layer) takes none.
Source: https://onnx.ai/onnx/operators/onnx__Slice.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.onnx_nodes import note_of, onnx_node

_BEFORE_THE_START = -(2**63) + 1


def _axes(op: Operation, inputs: Sequence[Tensor]) -> list[int] | None:
    import tensorflow as tf

    axes = tf.get_static_value(inputs[1])
    rank = inputs[0].shape.rank
    return None if axes is None or not rank else sorted(int(axis) % rank for axis in axes)


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(_axes(op, inputs)) and inputs[0].op.type != "Const"  # a constant is reversed beforehand


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    return [reverse(inputs[0], _axes(op, inputs) or [])]


def reverse(x: Tensor, axes: Sequence[int]) -> Tensor:
    """The tensor, reversed along these axes, given in ascending order."""
    import tensorflow as tf

    note = f"reverse {list(axes)}"
    earlier, original = note_of(x)
    if original is not None and earlier == note:
        return original
    starts = tf.constant([-1] * len(axes), tf.int64)
    ends = tf.constant([_BEFORE_THE_START] * len(axes), tf.int64)
    places = tf.constant(list(axes), tf.int64)
    (reversed_x,) = onnx_node("Slice", [x, starts, ends, places, starts], [(x.dtype, x.shape)], note=note)
    return reversed_x


LOWERING = Lowering("reverse_onnx", ("onnx",), ("ReverseV2",), _emit, _applies)
