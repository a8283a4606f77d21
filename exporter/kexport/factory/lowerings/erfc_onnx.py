"""The complementary error function, which tf2onnx does not map: `erfc(x) = 1 - erf(x)`.

ONNX has Erf alone. The difference keeps the absolute error of Erf, one unit in the last place of 1; the relative
error grows where erfc vanishes (x > 2), which exact GELU, x/2 * erfc(-x / sqrt 2), multiplies by a small x/2 only.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor], again: Callable[[Operation], Sequence[Tensor]]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    (error_function,) = again(tf.math.erf(x).op)
    return [tf.constant(1, x.dtype) - error_function]


LOWERING = Lowering("erfc_onnx", ("onnx",), ("Erfc",), _emit, relowers=True)
