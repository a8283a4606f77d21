"""Fake quantization to other than 8 bits, in float arithmetic.

The converter makes integers of it: of 4 bits, for one, which no QUANTIZE takes, and with which a convolution is one
step off. Those of 8 bits stay with the converter.
Source: TensorFlow's `FakeQuantWithMinMaxVars`, as in `_fake_quantization.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._fake_quantization import quantized
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return int(op.get_attr("num_bits")) != 8


LOWERING = Lowering(
    "fake_quantization_tflite",
    ("tflite",),
    ("FakeQuantWithMinMaxArgs", "FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel"),
    quantized,
    _applies,
)
