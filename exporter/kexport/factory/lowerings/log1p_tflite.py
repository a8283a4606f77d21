"""`log(1 + x)` that keeps its relative accuracy near 0, where TFLite's converter writes `log(1 + x)`.

Source: see `_log1p`, which has the mathematics.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._log1p import log1p
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    return [log1p(inputs[0])]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("log1p_tflite", ("tflite",), ("Log1p",), _emit, _applies)
