"""Fake quantization to other than 8 bits, in a narrow range, or by channel, in float arithmetic.

The converter makes integers of it: of 4 bits, for one, which no QUANTIZE takes, and with which a convolution is one
step off. Of a narrow range it makes another one, and by channel it takes the weights of convolutions
alone. What is left, 8 bits with one range, and such weights, stays with the converter.
Source: TensorFlow's `FakeQuantWithMinMaxVars`, as in `_fake_quantization.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._fake_quantization import quantized
from kexport.factory.lowerings._rule import Lowering

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    eight_bits = int(op.get_attr("num_bits")) == 8
    by_channel = op.type == "FakeQuantWithMinMaxVarsPerChannel"
    weights = tf.get_static_value(inputs[0]) is not None
    if not eight_bits:
        return True
    if weights and by_channel:
        return not all(user.type in _CONVOLUTIONS for user in op.outputs[0].consumers())
    return not weights and (by_channel or op.get_attr("narrow_range"))


LOWERING = Lowering(
    "fake_quantization_tflite",
    ("tflite",),
    ("FakeQuantWithMinMaxArgs", "FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel"),
    quantized,
    _applies,
)
