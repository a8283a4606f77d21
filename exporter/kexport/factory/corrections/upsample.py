"""`UpSampling2D` of images of dynamic size: in a graph, Keras compares a size that is a tensor with a number.

The new size is computed in the graph instead, and passed to TensorFlow's resizing as a tensor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from kexport.factory.corrections._correction import Correction, Record
from kexport.factory.graph.protocols import Tensor
from kexport.runtimes.keras_model import Method, replaced


@contextlib.contextmanager
def _active(record: Record) -> Iterator[None]:
    import keras

    with replaced(keras.layers.UpSampling2D, "_resize_images", _to_computed_size):
        yield


def _to_computed_size(original: Method) -> Method:
    def resize(
        self: object, x: Tensor, height_factor: int, width_factor: int, data_format: str, interpolation: str
    ) -> object:
        import tensorflow as tf

        first = data_format == "channels_first"
        sizes = list(x.shape[2:] if first else x.shape[1:-1])
        if interpolation == "nearest" or None not in sizes:
            return original(self, x, height_factor, width_factor, data_format, interpolation=interpolation)
        images = tf.transpose(x, [0, 2, 3, 1]) if first else x
        size = tf.shape(images)[1:3] * [height_factor, width_factor]
        resized = tf.cast(tf.image.resize(images, size, method=interpolation), x.dtype)
        return tf.transpose(resized, [0, 3, 1, 2]) if first else resized

    return resize


CORRECTION = Correction("upsample", _active)
