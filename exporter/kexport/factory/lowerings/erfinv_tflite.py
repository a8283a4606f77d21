"""The inverse error function, which TFLite lacks.

Source: see `_erfinv.py`, which has the mathematics.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._erfinv import erfinv
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    return [erfinv(inputs[0])]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name == "float32"


LOWERING = Lowering("erfinv_tflite", ("tflite",), ("Erfinv",), _emit, _applies)
