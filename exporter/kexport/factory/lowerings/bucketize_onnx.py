"""The number of boundaries that are not above x, which neither converter maps: all of them but those with x < b.

So NaN, which is below none, gets the last bucket. An integer is compared as float32, as TensorFlow's kernel does.
Source: TensorFlow's `Bucketize`, the upper bound of C++ (ISO/IEC 14882, alg.binary.search).
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import numpy as np
    import tensorflow as tf

    (x,) = inputs
    dtype = tf.float64 if x.dtype == tf.float64 else tf.float32
    boundaries = np.array(op.get_attr("boundaries"), np.float32).astype(dtype.as_numpy_dtype)
    if not boundaries.size:
        return [tf.zeros_like(x, tf.int32)]
    below = tf.expand_dims(tf.cast(x, dtype), -1) < boundaries
    return [boundaries.size - tf.reduce_sum(tf.cast(below, tf.int32), -1)]


LOWERING = Lowering("bucketize_onnx", ("onnx",), ("Bucketize",), _emit)
