"""Zeros of the shape of a tensor of 16 bits, as a fill: TensorFlow's quantiser says that they were float32.

Source: `kernels/zeros_like.cc` of TFLite, whose result has the dtype of its operand.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

NAME = "zeros_of_16_bits_tflite"


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    del op
    return [tf.fill(tf.shape(inputs[0]), tf.constant(0.0))]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    del op
    return inputs[0].dtype.name == "float32"


LOWERING = Lowering(NAME, (), ("ZerosLike",), _emit, _applies, before=("tensor_list_tflite",))
