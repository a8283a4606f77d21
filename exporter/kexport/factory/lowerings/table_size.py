"""The number of keys of a table: a constant, as the table cannot change any more.

Source: TensorFlow's `LookupTableSizeV2`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.emit.handover import Table
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Table]) -> Sequence[Tensor]:
    import tensorflow as tf

    return [tf.constant(len(inputs[0].keys), tf.int64)]


LOWERING = Lowering("table_size", ("onnx", "tflite"), ("LookupTableSizeV2",), _emit)
