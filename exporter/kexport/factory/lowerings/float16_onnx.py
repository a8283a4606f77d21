"""Whether a float16 is infinite, or finite, which ONNX tells of it from opset 20 on only: asked of the same float32.

Source: IEEE 754-2019, 3.6 (binary16 is a subset of binary32); https://onnx.ai/onnx/operators/onnx__IsInf.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.lowerings._lowering import Lowering


def _emit(op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    import tensorflow as tf

    function = {"IsInf": tf.math.is_inf, "IsFinite": tf.math.is_finite}[op.type]
    return [function(tf.cast(inputs[0], tf.float32))]


def _applies(op: Any, inputs: Sequence[Any]) -> bool:
    return inputs[0].dtype.name in ("float16", "bfloat16")


LOWERING = Lowering("float16_onnx", ("onnx",), ("IsInf", "IsFinite"), _emit, _applies)
