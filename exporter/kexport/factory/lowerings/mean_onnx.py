"""Means of what may be empty, in ONNX: no number, where onnxruntime gives 0.

A length that is not known may be 1, and then nothing is left of a difference along it, or of a slice without its end.
Where nothing is cut off, a mean stays what it is: an input has at least one element.
Source: measured, onnxruntime 1.32; ONNX says of ReduceMean that a mean of nothing is undefined.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_CUTS = ("StridedSlice", "Slice")
_MOST = 1000  # operations that are looked at


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, axes = inputs
    mean = tf.reduce_mean(x, axes, keepdims=op.get_attr("keep_dims"))
    count = tf.reduce_prod(tf.gather(tf.shape(x), tf.reshape(axes, [-1])))
    return [tf.where(tf.equal(count, 0), tf.constant(np.nan, x.dtype), mean)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    x, axes = inputs[0], tf.get_static_value(inputs[1])
    if not x.dtype.is_floating or x.shape.rank is None or axes is None or op.outputs[0].shape.rank is None:
        return False
    return any(x.shape[int(axis)] is None for axis in np.ravel(axes)) and _is_cut(x)


def _is_cut(x: Tensor) -> bool:
    """Whether a part of an axis of unknown length is left out of anything that a tensor is computed from."""
    seen: set[str] = set()
    open_ends = [x]
    while open_ends and len(seen) < _MOST:
        tensor = open_ends.pop()
        if tensor.name in seen:
            continue
        seen.add(tensor.name)
        if tensor.op.type in _CUTS and tensor.shape.rank and tensor.shape.num_elements() is None:
            return True
        open_ends += tensor.op.inputs
    return False


LOWERING = Lowering("mean_onnx", ("onnx",), ("Mean",), _emit, _applies, before=("narrow_integers_onnx",))
