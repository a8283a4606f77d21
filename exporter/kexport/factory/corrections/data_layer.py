"""Preprocessing layers take integers as they are, as they do eagerly: in a graph, Keras makes floats of them first.

`Resizing` of bytes, for one, rounds to bytes when it is called, and would not in the graph that is exported.
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

    (owner,) = (base for base in keras.layers.Rescaling.__mro__ if base.__name__ == "DataLayer")
    with replaced(owner, "__call__", _corrected):
        yield


def _corrected(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, inputs: Any, **options: Any) -> Any:
        import keras

        return keras.layers.Layer.__call__(self, inputs, **options)

    return call


CORRECTION = Correction("data_layer", _active)
