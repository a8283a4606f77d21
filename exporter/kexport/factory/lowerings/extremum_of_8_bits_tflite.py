"""Minima and maxima in 8 bits by a ReLU, which has a range of its own.

TFLite's operators for them have one scale for what they take and give. TensorFlow's quantiser of 8 bits takes it from
the result: of an operand that is used elsewhere too, only what the extremum leaves of it is there. Beside `min(x, 0)`,
`max(x, 0)` is 0, and so was an exponential unit behind a sum: 0.8 dB of signal to noise, 36 by a ReLU.

min(x, y) = x - relu(x - y), max(x, y) = y + relu(x - y).
Source: TensorFlow, `SameOperandsAndResultsScale` of `compiler/mlir/lite/ir/tfl_ops.td`; measured with 2.21.0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings.elu_tflite import exponential_unit

NAME = "extremum_of_8_bits_tflite"

_UNITS = ("Elu", "Selu")
_EXTREMA = ("Maximum", "Minimum")
#: Operations that have one scale too, or nothing to do, as a division by 1.
_OF_ONE_SCALE = {
    *_EXTREMA, "ConcatV2", "ExpandDims", "GatherV2", "Identity", "MaxPool", "Mul", "Pack", "Pad", "PadV2", "RealDiv",
    "Reshape", "ResizeBilinear", "ResizeNearestNeighbor", "Slice", "Split", "SplitV", "Squeeze", "StridedSlice", "Tile",
    "Transpose", "Unpack",
}  # fmt: skip
_FAR = 8  # operations


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    if op.type in _UNITS:
        (x,) = inputs
        return [exponential_unit(op, x, x - tf.nn.relu(x))]
    x, y = inputs
    beyond = tf.nn.relu(x - y)
    return [x - beyond if op.type == "Minimum" else y + beyond]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    if inputs[0].dtype.name != "float32":
        return False
    if op.type in _UNITS:
        return True
    limits = [value for each in inputs if (value := tf.get_static_value(each)) is not None]
    if not all(np.isfinite(value).all() for value in limits):  # one infinity less another is no number
        return False
    return any(_is_shared(each, _FAR) for each in op.inputs)


def _is_shared(tensor: Tensor, far: int) -> bool:
    """Whether a tensor, or one from which it gets its scale, is used elsewhere too; or is not known to be computed."""
    before = tensor.op
    if before.type == "Const":
        return False
    if before.type == "Placeholder" or len(tensor.consumers()) > 1:
        return True
    return before.type in _OF_ONE_SCALE and far > 0 and any(_is_shared(each, far - 1) for each in before.inputs)


LOWERING = Lowering(
    NAME,
    (),
    (*_EXTREMA, *_UNITS),
    _emit,
    _applies,
    before=("elu_tflite", "float64_places_tflite", "narrow_integers_tflite"),
)
