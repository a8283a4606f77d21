"""3-D pooling, which TFLite lacks: over height and width, then over depth.

The maximum over a box is the maximum over depth of the maxima over planes. So is the mean, borders included: a
window of SAME padding counts `d * h * w` elements, a product, hence the mean of the means weighs them right.
Source: the definitions, in TensorFlow's documentation of tf.nn.max_pool3d and tf.nn.avg_pool3d.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings import _convolution
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    layout = _convolution.axes(op)
    x = tf.transpose(inputs[0], layout.to_last) if layout.first else inputs[0]
    (deep, *window), (step, *steps) = (layout.of_space(op.get_attr(name)) for name in ("ksize", "strides"))
    pool = tf.nn.max_pool2d if op.type == "MaxPool3D" else tf.nn.avg_pool2d
    padding = op.get_attr("padding").decode()
    if [*window, *steps] != [1, 1, 1, 1]:
        batch, depth, height, width, channels = _sizes(x)
        y = pool(tf.reshape(x, tf.stack([-1, height, width, channels])), window, steps, padding)
        x = _reshaped(y, [batch, depth, *_sizes(y)[1:]])
    if [deep, step] != [1, 1]:
        batch, depth, height, width, channels = _sizes(x)
        y = pool(tf.reshape(x, tf.stack([-1, depth, height * width, channels])), [deep, 1], [step, 1], padding)
        x = _reshaped(y, [batch, _sizes(y)[1], height, width, channels])
    return [tf.transpose(x, layout.to_first) if layout.first else x]


def _sizes(x: Tensor) -> list[Size]:
    """The sizes of a tensor: numbers where they are known."""
    import tensorflow as tf

    dynamic = tf.shape(x)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(x.shape)]


def _reshaped(x: Tensor, sizes: list[Size]) -> Tensor:
    import tensorflow as tf

    return tf.reshape(x, tf.stack([-1, *sizes[1:]]))


LOWERING = Lowering("pool3d_tflite", ("tflite",), ("MaxPool3D", "AvgPool3D"), _emit)
