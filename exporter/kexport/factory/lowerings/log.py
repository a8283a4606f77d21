"""The logarithm of float64 and float16, of which tf2onnx rounds the one to float32 and refuses the other.

Source: https://onnx.ai/onnx/operators/onnx__Log.html; IEEE 754-2019, 3.6 (binary16 is a subset of binary32).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.lowerings import _log
from kexport.factory.lowerings._lowering import Lowering


def _emit(op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    return [_log.log(inputs[0])]


def _applies(op: Any, inputs: Sequence[Any]) -> bool:
    return bool(inputs[0].dtype.name != "float32")


LOWERING = Lowering("log", ("onnx",), ("Log",), _emit, _applies)
