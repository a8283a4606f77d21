"""Memory that nothing has been written to yet, which no format has: zeros.

Source: TensorFlow's `Empty`, of which Keras' connectionist temporal classification makes the tables that it fills.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    return [tf.zeros(inputs[0], op.outputs[0].dtype)]


LOWERING = Lowering("empty", ("onnx", "tflite"), ("Empty",), _emit)
