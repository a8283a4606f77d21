"""`log(1 + x)`, which tf2onnx does not map, relatively accurate near 0.

Source: see `_log.py`, which has the mathematics.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._log import log1p
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    return [log1p(inputs[0])]


LOWERING = Lowering("log1p_onnx", ("onnx",), ("Log1p",), _emit)
