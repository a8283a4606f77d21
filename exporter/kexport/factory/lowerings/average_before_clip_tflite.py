"""Average pooling before a limit, as a convolution of its own with equal weights, in int8.

TensorFlow's quantiser gives a minimum, a maximum and average pooling one scale for what they take and give, and spreads
it backwards: what is pooled would be clipped before the mean is taken, and not after. Or, where the limit is taken into
the pooling, what it gives would have the steps of all that is pooled. A convolution has a scale for each.
Source: TensorFlow, `compiler/mlir/lite/ir/tfl_ops.td`, `SameOperandsAndResultsScale`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

NAME = "average_before_clip_tflite"

_LIMITS = ("ClipByValue", "Maximum", "Minimum", "Relu6")
_SAME_SCALE = (
    "ConcatV2",
    "ExpandDims",
    "Identity",
    "MaxPool",
    "Pad",
    "Reshape",
    "Squeeze",
    "StridedSlice",
    "Transpose",
)
_FAR = 8  # operations that only move what they take


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    x = inputs[0]
    if x.dtype.name != "float32" or x.shape.rank != 4 or op.get_attr("data_format") != b"NHWC":
        return False
    sized = op.get_attr("padding") == b"VALID" or None not in x.shape[1:3]
    return sized and x.shape[3] is not None and any(_limited(op.outputs[0], _FAR))


def _limited(tensor: Tensor, far: int) -> Iterator[bool]:
    """Whether its elements are limited, for each operation that takes them."""
    for taker in tensor.consumers():
        # Keras' ReLU with another limit than 6 is a Relu, whose result has a Minimum.
        yield taker.type in _LIMITS or (taker.type == "Relu" and any(_limited(taker.outputs[0], 0)))
        if far and taker.type in _SAME_SCALE:
            yield from _limited(taker.outputs[0], far - 1)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    window, steps = op.get_attr("ksize")[1:3], op.get_attr("strides")[1:3]
    same = op.get_attr("padding") == b"SAME"
    if not same and [*window] == [*x.shape[1:3]]:
        return [tf.reduce_mean(x, [1, 2], keepdims=True)]
    kernel = np.full((*window, x.shape[3], 1), 1 / math.prod(window), "float32")
    if same:
        x = tf.pad(x, [[0, 0], *map(_around, x.shape[1:3], window, steps), [0, 0]])
    # TFLite has no such convolution with two steps: one of the least, of which every so many are taken.
    step = math.gcd(*steps)
    y = tf.nn.depthwise_conv2d(x, kernel, [1, step, step, 1], "VALID")
    if [*steps] != [step, step]:
        y = y[:, :: steps[0] // step, :: steps[1] // step]
    if same:
        shares = [_shares(*each) for each in zip(inputs[0].shape[1:3], window, steps, strict=True)]
        if any((share != 1).any() for share in shares):
            y *= np.outer(*shares)[None, :, :, None].astype("float32")
    return [y]


def _around(size: int, window: int, step: int) -> tuple[int, int]:
    """How many places padding of SAME adds before and behind."""
    added = max((math.ceil(size / step) - 1) * step + window - size, 0)
    return added // 2, added - added // 2


def _shares(size: int, window: int, step: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """By how much the mean of each window is larger than that with the padding counted as zeros."""
    starts = np.arange(math.ceil(size / step)) * step - _around(size, window, step)[0]
    return window / (np.minimum(starts + window, size) - np.maximum(starts, 0))


LOWERING = Lowering(NAME, (), ("AvgPool",), _emit, _applies)
