"""The logarithm of float64, which tf2onnx rounds to float32.

Source: https://onnx.ai/onnx/operators/onnx__Log.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _log
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    return [_log.log(inputs[0])]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float64")


LOWERING = Lowering("log_onnx", ("onnx",), ("Log",), _emit, _applies)
