"""Preprocessing layers take integers unchanged, as they do eagerly; in a graph, Keras casts them to float32 first.

`Resizing` of uint8 images, for example, rounds to uint8 when it is called eagerly, and would not in an exported graph.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from kexport.factory.corrections._correction import Correction, Record
from kexport.runtimes.keras_model import Method, replaced


@contextlib.contextmanager
def _active(record: Record) -> Iterator[None]:
    import keras

    (owner,) = (base for base in keras.layers.Rescaling.__mro__ if base.__name__ == "DataLayer")
    with replaced(owner, "__call__", _without_cast):
        yield


def _without_cast(original: Method) -> Method:
    def call(self: object, inputs: object, **options: object) -> object:
        import keras

        return keras.layers.Layer.__call__(self, inputs, **options)

    return call


CORRECTION = Correction("data_layer", _active)
