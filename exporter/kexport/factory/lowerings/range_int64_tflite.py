"""Ranges of int64, of which LiteRT's reference kernels have none: of int32, and cast.

From a number that is known and small, by steps of 1 or -1: what it counts must fit into memory, so it fits into int32.
Source: tensorflow/lite/kernels/register_ref.cc, the versions of RANGE.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_SMALL = 1 << 30


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    return [tf.cast(tf.range(*(tf.cast(each, tf.int32) for each in inputs)), tf.int64)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    if op.outputs[0].dtype != tf.int64:
        return False
    start, _, step = (tf.get_static_value(each) for each in inputs)
    return start is not None and step is not None and abs(int(start)) < _SMALL and abs(int(step)) == 1


LOWERING = Lowering("range_int64_tflite", ("tflite",), ("Range",), _emit, _applies)
