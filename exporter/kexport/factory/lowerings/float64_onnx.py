"""Functions of which onnxruntime has no kernel for float64, through float32: 7 digits of the 16.

Source: onnxruntime's docs/OperatorKernels.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_OPS = ("Tan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Atan", "Atan2", "Asin", "Acos", "Erf")


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    function = getattr(tf.math, op.type.lower())
    return [tf.cast(function(*(tf.cast(tensor, tf.float32) for tensor in inputs)), tf.float64)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float64")


LOWERING = Lowering("float64_onnx", ("onnx",), _OPS, _emit, _applies)
