"""Images moved by a projective transform, which both converters lack: gathers from where each pixel comes from.

The pixel `(x, y)` of the result is the image's at `((a x + b y + c) / k, (d x + e y + f) / k)`, `k = g x + h y + 1`:
the nearest pixel there, or the four around it weighed by their distances. What lies outside is a number, or folded
back inside as the fill mode says. `k = 0` gives the number.
Source: TensorFlow, documentation of tf.raw_ops.ImageProjectiveTransformV3; scipy.ndimage's for the fill modes.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    return bool(inputs[0].dtype == tf.float32)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    images, transforms, shape, number = inputs
    mode, batch = op.get_attr("fill_mode").decode(), tf.shape(images)[0]
    height, width = tf.shape(images)[1], tf.shape(images)[2]
    columns = tf.cast(tf.range(shape[1]), tf.float32)[None, None, :]
    rows = tf.cast(tf.range(shape[0]), tf.float32)[None, :, None]
    a, b, c, d, e, f, g, h = (transforms[:, index, None, None] for index in range(8))
    depth = g * columns + h * rows + 1
    nowhere = tf.equal(depth, 0)
    safe = tf.where(nowhere, tf.ones_like(depth), depth)
    x = _inside((a * columns + b * rows + c) / safe, width, mode)
    y = _inside((d * columns + e * rows + f) / safe, height, mode)

    def read(row: Tensor, column: Tensor) -> Tensor:
        return _read(images, batch, row, column, number)

    if op.get_attr("interpolation") == b"NEAREST":
        values = read(_rounded(y), _rounded(x))
    else:
        left, top = tf.floor(x), tf.floor(y)
        right, bottom = (x - left)[..., None], (y - top)[..., None]
        above = (1 - right) * read(top, left) + right * read(top, left + 1)
        below = (1 - right) * read(top + 1, left) + right * read(top + 1, left + 1)
        values = (1 - bottom) * above + bottom * below
    result = tf.where(nowhere[..., None], tf.zeros_like(values) + number, values)
    channels = images.shape[-1] if images.shape[-1] is not None else tf.shape(images)[-1]
    return [tf.reshape(result, tf.stack([-1, shape[0], shape[1], channels]))]


def _rounded(x: Tensor) -> Tensor:
    """To the nearest whole number, halves away from zero."""
    import tensorflow as tf

    return tf.sign(x) * tf.floor(tf.abs(x) + 0.5)


def _read(images: Tensor, batch: Tensor, row: Tensor, column: Tensor, number: Tensor) -> Tensor:
    """The pixels at these places, the number outside."""
    import tensorflow as tf

    height, width = tf.shape(images)[1], tf.shape(images)[2]
    channels = images.shape[-1] if images.shape[-1] is not None else tf.shape(images)[-1]
    last_row, last_column = tf.cast(height - 1, tf.float32), tf.cast(width - 1, tf.float32)
    within = (row >= 0) & (row <= last_row) & (column >= 0) & (column <= last_column)
    row = tf.cast(tf.minimum(tf.maximum(row, 0), last_row), tf.int32)
    column = tf.cast(tf.minimum(tf.maximum(column, 0), last_column), tf.int32)
    place = row * width + column + tf.range(batch)[:, None, None] * (height * width)
    pixels = tf.gather(tf.reshape(images, tf.stack([-1, channels])), place)
    return tf.where(within[..., None], pixels, tf.zeros_like(pixels) + number)


def _inside(place: Tensor, size: Tensor, mode: str) -> Tensor:
    """The place, folded back into the image."""
    import tensorflow as tf

    length = tf.cast(size, tf.float32)
    last = length - 1
    if mode == "CONSTANT":
        return place
    if mode == "REFLECT":
        period = 2 * length
        below = place + tf.where(place < period, period * tf.floor(-place / period), tf.zeros_like(place))
        below = tf.where(below < -length, below + period, -below - 1)
        above = place - period * tf.floor(place / period)
        above = tf.where(above >= length, period - above - 1, above)
        place = tf.where(place < 0, below, tf.where(place > last, above, place))
    if mode == "WRAP":
        steps = tf.maximum(last, 1)
        below = place + length * (tf.floor(-place / steps) + 1)
        above = place - length * tf.floor(place / steps)
        place = tf.where(place < 0, below, tf.where(place > last, above, place))
    return tf.minimum(tf.maximum(place, 0), last)


LOWERING = Lowering("projective_transform", ("onnx", "tflite"), ("ImageProjectiveTransformV3",), _emit, _applies)
