"""Fake quantization, as quantization-aware training leaves it, in float arithmetic.

tf2onnx makes 8-bit integers of it, with a zero point and a scale that are not the nudged ones: one step off and more.
Source: TensorFlow's `FakeQuantWithMinMaxVars`, as in `_fake_quantization.py`.
"""

from __future__ import annotations

from kexport.factory.lowerings._fake_quantization import quantized
from kexport.factory.lowerings._rule import Lowering

LOWERING = Lowering(
    "fake_quantization_onnx",
    ("onnx",),
    ("FakeQuantWithMinMaxArgs", "FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel"),
    quantized,
)
