"""`UpSampling2D` of images whose size is dynamic: in a graph, Keras compares a size that is a tensor with a number.

The new size is computed in the graph, and TensorFlow's resizing takes it as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from kexport.factory.corrections._correction import Correction, Record
from kexport.runtimes.keras_model import replaced


@contextlib.contextmanager
def _active(record: Record) -> Iterator[None]:
    import keras

    with replaced(keras.layers.UpSampling2D, "_resize_images", _corrected):
        yield


def _corrected(original: Callable[..., Any]) -> Callable[..., Any]:
    def resize(self: Any, x: Any, height_factor: Any, width_factor: Any, data_format: str, interpolation: str) -> Any:
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


CORRECTION = Correction("up_sampling", _active)
