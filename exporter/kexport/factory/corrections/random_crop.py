"""`RandomCrop` of images whose size is dynamic: in a graph, Keras makes Python numbers of it for a place to crop at.

At inference nothing is cropped but by `Resizing`, which takes no place: there is none to compute.
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

    with replaced(keras.layers.RandomCrop, "get_random_transformation", _corrected):
        yield


def _corrected(original: Callable[..., Any]) -> Callable[..., Any]:
    def place(self: Any, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training and not isinstance(data, dict):
            return 0, 0
        return original(self, data, training=training, seed=seed)

    return place


CORRECTION = Correction("random_crop", _active)
