"""Gradients of activations, and of biases, by their definitions.

Source: TensorFlow's op registry; the gradient of each comes from its result where that is enough, else from its input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_SELU_SCALE, _SELU_LIMIT = 1.0507009873554805, 1.7580993408473768  # the limit is that of its negative values


def _functions() -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """For each operation, its output from its two inputs."""
    import tensorflow as tf

    return {
        "ReluGrad": lambda g, x: tf.where(x > 0, g, tf.zeros_like(g)),
        "Relu6Grad": lambda g, x: tf.where((x > 0) & (x < 6), g, tf.zeros_like(g)),
        "EluGrad": lambda g, y: tf.where(y < 0, g * (y + 1), g),
        "SeluGrad": lambda g, y: g * tf.where(y < 0, y + _SELU_LIMIT, _SELU_SCALE * tf.ones_like(y)),
        "SoftplusGrad": lambda g, x: g * tf.sigmoid(x),
        "SoftsignGrad": lambda g, x: g / tf.square(1 + tf.abs(x)),
        "SigmoidGrad": lambda y, g: g * y * (1 - y),
        "TanhGrad": lambda y, g: g * (1 - y * y),
        "RsqrtGrad": lambda y, g: g * y * y * y * -0.5,
        "SqrtGrad": lambda y, g: g * 0.5 / y,
        "ReciprocalGrad": lambda y, g: -g * y * y,
        "InvGrad": lambda y, g: -g * y * y,
    }


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    if op.type == "LeakyReluGrad":
        g, x = inputs
        return [tf.where(x > 0, g, g * op.get_attr("alpha"))]
    if op.type == "BiasAddGrad":
        rank = inputs[0].shape.rank
        channel = 1 if op.get_attr("data_format") == b"NCHW" else rank - 1
        return [tf.reduce_sum(inputs[0], [axis for axis in range(rank) if axis != channel])]
    return [_functions()[op.type](*inputs)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return op.type != "BiasAddGrad" or inputs[0].shape.rank is not None


_OPS = (
    "ReluGrad", "Relu6Grad", "LeakyReluGrad", "EluGrad", "SeluGrad", "SoftplusGrad", "SoftsignGrad", "SigmoidGrad",
    "TanhGrad", "RsqrtGrad", "SqrtGrad", "ReciprocalGrad", "InvGrad", "BiasAddGrad",
)  # fmt: skip
LOWERING = Lowering("activation_gradients", ("onnx", "tflite"), _OPS, _emit, _applies)
