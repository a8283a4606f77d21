"""Resizing with kernels that the formats lack, or have otherwise: a product with a matrix along height and width.

Every such resizing is linear and separable: `y = R x C^T` for each channel, where R and C depend on the sizes alone.
They are what TensorFlow's own kernel makes of the unit images, so its details hold exactly: the table of 1024 steps
that its bicubic kernel is read from, the weights renormalised at borders, the support widened for antialiasing.
Source: TensorFlow, documentation of tf.image.resize; linearity.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._probe import probed
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].shape[1:].is_fully_defined() and _settings(inputs) is not None


def _settings(inputs: Sequence[Tensor]) -> list[Array] | None:
    """The size of the result and, of ScaleAndTranslate, scale and translation: where they are computed from sizes."""
    return probed(inputs[1:])


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, settings = tf.cast(inputs[0], tf.float32), _settings(inputs) or []
    _, height, width, channels = x.shape
    rows, columns = (matrix(op, axis, size, settings) for axis, size in enumerate((height, width)))
    new_height, new_width = len(rows), len(columns)
    if not _is_unit(rows):
        x = tf.matmul(rows, tf.reshape(x, [-1, height, width * channels]))
    if not _is_unit(columns):
        x = tf.matmul(columns, tf.reshape(x, [-1, width, channels]))
    return [tf.reshape(x, [-1, new_height, new_width, channels])]


def matrix(op: Operation, axis: int, size: int, settings: Sequence[Array]) -> Array:
    """What the operation makes of the unit images along one axis; the other has one pixel and stays."""
    import tensorflow as tf

    sizes = [1, 1]
    sizes[axis] = int(settings[0][axis])
    scaling = [[1.0, 1.0], [0.0, 0.0]][: len(settings) - 1]
    for values, given in zip(scaling, settings[1:], strict=True):
        values[axis] = float(given[axis])
    units = np.eye(size, dtype=np.float32)
    images = units[None, :, None, :] if axis == 0 else units[None, None, :, :]
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        resized: Array = session.run(_same(op, images, [sizes, *scaling]))
    return resized.reshape(sizes[axis], size)


def _same(op: Operation, images: Array, settings: Sequence[Sequence[float]]) -> Tensor:
    """The operation, for other images and another size."""
    import tensorflow as tf

    scaled = op.type == "ScaleAndTranslate"
    names = ["size", "scale", "translation"] if scaled else ["size"]
    attributes = ["kernel_type", "antialias"] if scaled else ["align_corners", "half_pixel_centers"]
    options: dict[str, object] = dict(zip(names, settings, strict=True))
    for name in attributes:
        if name in op.node_def.attr:
            value = op.get_attr(name)
            options[name] = value.decode() if isinstance(value, bytes) else value
    return getattr(tf.raw_ops, op.type)(images=images, **options)


def _is_unit(matrix: Array) -> bool:
    return matrix.shape[0] == matrix.shape[1] and bool((matrix == np.eye(len(matrix))).all())


LOWERING = Lowering(
    "resize_matrix", ("onnx", "tflite"), ("ResizeBicubic", "ResizeArea", "ScaleAndTranslate"), _emit, _applies
)
