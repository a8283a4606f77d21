"""Greyscale dilation as the largest of slices, each raised by one element of the kernel; erosion is made of it.

Output (y, x) of a channel is the largest of input (y * stride + i * rate, x * stride + j * rate) + kernel (i, j); what
lies outside of the image does not count.
Source: TensorFlow, documentation of tf.nn.dilation2d.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _convolution
from kexport.factory.lowerings._diagonal import sizes
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x, kernel), layout = inputs, _convolution.Axes(2, first=False)
    rows, columns = kernel.shape[:2].as_list()
    steps, rates = (layout.of_space(op.get_attr(name)) for name in ("strides", "rates"))
    reach = [(taps - 1) * rate + 1 for taps, rate in zip((rows, columns), rates, strict=True)]
    if op.get_attr("padding") == b"SAME":
        pads = [(0, 0), *_convolution.same_pads(x, layout, reach, steps), (0, 0)]
        lowest = tf.constant(x.dtype.min, x.dtype)
        x = tf.pad(x, tf.stack([tf.stack(pair) for pair in pads]), constant_values=lowest)
    counts = [(size - far) // step + 1 for size, far, step in zip(sizes(x)[1:3], reach, steps, strict=True)]
    raised = []
    for row in range(rows):
        for column in range(columns):
            begin = [row * rates[0], column * rates[1]]
            end = [first + (count - 1) * step + 1 for first, count, step in zip(begin, counts, steps, strict=True)]
            part = x[:, begin[0] : end[0] : steps[0], begin[1] : end[1] : steps[1]]
            raised.append(part + kernel[row, column])
    largest = functools.reduce(tf.maximum, raised)
    largest.set_shape(op.outputs[0].shape)
    return [largest]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    x, kernel = inputs
    return bool(x.dtype.is_floating) and x.shape.rank == 4 and kernel.shape.is_fully_defined()


LOWERING = Lowering("dilation2d", ("onnx", "tflite"), ("Dilation2D",), _emit, _applies)
