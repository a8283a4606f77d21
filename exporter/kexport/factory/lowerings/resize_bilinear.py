"""Bilinear resizing by a ratio that is no power of 2, along one axis after the other: `a + (b - a) t`.

Output y lies at place p = (y + 1/2) r - 1/2 among n pixels, between pixels a and b, t of the way, r = n/m. The kernels
of the runtimes round p otherwise than TensorFlow's, by some units in the last place of p, and so are off by as much of
the difference of a and b, which is more than 1e-5 of a result near 0. Here a, b and t are numbers: of fixed sizes those
that TensorFlow's own kernel has, read from what it makes of unit images; of dynamic sizes they are computed as it does.
Source: TensorFlow, kernels/image/resize_bilinear_op.cc, as documented for tf.image.resize; linearity.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.graph.interpolation import exact
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._probe import SIZE, probed
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings.resize_matrix import matrix


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    sizes = probed(inputs[1:])
    if sizes is None or inputs[0].shape.rank != 4:
        return False
    static = inputs[0].shape[1:3].as_list()
    if None in static and (op.get_attr("align_corners") or not op.get_attr("half_pixel_centers")):
        return False
    axes = zip(static, sizes[0], op.outputs[0].shape[1:3], strict=True)
    return any(_rounded(before, int(after), fixed) for before, after, fixed in axes)


def _rounded(before: int | None, after: int, fixed: int | None) -> bool:
    """Whether places along an axis may be rounded; a fixed number of pixels made of a dynamic one has any ratio."""
    if before is not None:
        return not exact(before, after)
    return fixed is not None or not exact(SIZE, after)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x = tf.cast(inputs[0], tf.float32)
    settings = probed(inputs[1:]) or []
    places: tuple[Array, Array, Array] | tuple[Tensor, Tensor, Tensor] | None
    for axis in (2, 1):  # as TensorFlow's kernel: columns first
        size = x.shape[axis]
        if size is not None:
            places = _known(op, axis, size, settings)
        else:
            places = _computed(tf.shape(x)[axis], inputs[1][axis - 1])
        if places is not None:
            lower, upper, part = places
            near, far = tf.gather(x, lower, axis=axis), tf.gather(x, upper, axis=axis)
            x = near + (far - near) * tf.reshape(part, [-1, 1] if axis == 2 else [-1, 1, 1])
    return [x]


def _known(op: Operation, axis: int, size: int, settings: Sequence[Array]) -> tuple[Array, Array, Array] | None:
    """Two pixels for each of the result, and the part of the way between them; None when every pixel stays."""
    weights = matrix(op, axis - 1, size, settings)
    if weights.shape[0] == size and bool((weights == np.eye(size)).all()):
        return None
    present = weights != 0
    lower = present.argmax(axis=1)
    upper = size - 1 - present[:, ::-1].argmax(axis=1)
    part = np.where(upper > lower, np.take_along_axis(weights, upper[:, None], 1)[:, 0], 0.0)
    return lower.astype(np.int32), upper.astype(np.int32), part.astype(np.float32)


def _computed(before: Tensor, after: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    import tensorflow as tf

    # Converters make the division by a constant a product with its reciprocal, which is rounded otherwise; this is one
    # no longer, being computed. Of whole numbers and halves the product is rounded alike however they arrange it.
    ratio = tf.cast(before, tf.float32) / tf.cast(tf.maximum(after, after - before), tf.float32)
    twice = tf.cast(2 * tf.range(after) + 1, tf.float32)
    places = twice * (0.5 * ratio) - 0.5
    floor = tf.floor(places)
    part = places - floor
    lower = tf.cast(floor, tf.int32)
    upper = lower + tf.cast(part > 0, tf.int32)
    return tf.maximum(lower, 0), tf.minimum(upper, before - 1), part


LOWERING = Lowering(
    "resize_bilinear", ("onnx", "tflite"), ("ResizeBilinear",), _emit, _applies, before=("resize_integers",)
)
