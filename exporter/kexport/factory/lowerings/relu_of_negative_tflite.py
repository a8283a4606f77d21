"""The second half of a PReLU of more than four axes, which TFLite's operator does not take.

Keras writes relu(x) - a relu(-x), which TensorFlow's converter makes one PRELU of, of any rank; it then refuses the
operator that it has made. The negative part as a minimum is not recognised as a part of one.
Source: TensorFlow Lite, documentation of `tfl.prelu` (ranks up to 4).
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_MOST_AXES = 4


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    rank, single = inputs[0].shape.rank, inputs[0].dtype.name == "float32"
    return single and op.inputs[0].op.type == "Neg" and (rank is None or rank > _MOST_AXES)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    return [-tf.minimum(-inputs[0], 0.0)]


LOWERING = Lowering(
    "relu_of_negative_tflite", ("tflite",), ("Relu",), _emit, _applies, before=("narrow_integers_tflite",)
)
