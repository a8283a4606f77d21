"""Rows sorted into parts by number, as for experts of a mixture: TFLite lacks it, tf2onnx takes one axis of numbers.

A part is the rows of that number, in their order.
Source: TensorFlow, documentation of tf.dynamic_partition.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._numbered_rows import as_rows
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    rows, numbers = as_rows(*inputs), tf.reshape(inputs[1], [-1])
    return [tf.gather(rows, tf.where(tf.equal(numbers, part))[:, 0]) for part in range(len(op.outputs))]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return all(tensor.shape.rank is not None for tensor in inputs)


LOWERING = Lowering("partition", ("onnx", "tflite"), ("DynamicPartition",), _emit, _applies)
