"""Squares and squared differences in 16 bits as products: LiteRT has no kernel of 16 bits for the latter.

The converter makes one of a square of a difference, too: layer normalisation and variances could not be run.

Source: `kernels/squared_difference.cc` of TFLite, which takes int8, int32 and float32 alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

NAME = "square_of_16_bits_tflite"


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    one = inputs[0] if op.type == "Square" else inputs[0] - inputs[1]
    return [one * one]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name == "float32"


LOWERING = Lowering(NAME, (), ("SquaredDifference", "Square"), _emit, _applies, before=("narrow_integers_tflite",))
