"""A bias along axis 1, which TFLite's converter only adds to tensors of four axes: an addition.

`y[n, c, ...] = x[n, c, ...] + b[c]`, with the bias reshaped to `(channels, 1, ...)`.
Source: TensorFlow, documentation of tf.nn.bias_add.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(op.get_attr("data_format") == b"NCHW")


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, bias = inputs
    return [x + tf.reshape(bias, [1, -1] + [1] * (x.shape.rank - 2))]


LOWERING = Lowering("bias_channels_first_tflite", ("tflite",), ("BiasAdd",), _emit, _applies)
