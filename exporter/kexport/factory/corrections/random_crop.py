"""`RandomCrop` of images of dynamic size: in a graph, Keras tries to make Python numbers of the size to crop at.

At inference it only resizes, which needs no position: there is none to compute.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from kexport.factory.corrections._correction import Correction, Record
from kexport.runtimes.keras_model import Method, replaced


@contextlib.contextmanager
def _active(record: Record) -> Iterator[None]:
    import keras

    with replaced(keras.layers.RandomCrop, "get_random_transformation", _only_in_training):
        yield


def _only_in_training(original: Method) -> Method:
    def position(self: object, data: object, training: bool = True, seed: object = None) -> object:
        if not training and not isinstance(data, dict):
            return 0, 0
        return original(self, data, training=training, seed=seed)

    return position


CORRECTION = Correction("random_crop", _active)
