"""Records what each layer that knows its inputs was called on: normalisation, bins, vocabularies, embeddings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from kexport.factory.corrections._correction import Correction, Record
from kexport.runtimes.keras_model import Method, replaced

KNOWING = (
    "Normalization",
    "Rescaling",
    "Discretization",
    "IntegerLookup",
    "StringLookup",
    "TextVectorization",
    "CategoryEncoding",
    "Hashing",
    "HashedCrossing",
    "Embedding",
)


@contextlib.contextmanager
def _active(record: Record) -> Iterator[None]:
    import keras

    kinds = tuple(getattr(keras.layers, name) for name in KNOWING)

    def recorded(original: Method) -> Method:
        def call(self: Any, *args: object, **options: object) -> object:
            if isinstance(self, kinds):
                values = args[0] if args else next(iter(options.values()), None)
                record.calls.append((self, keras.tree.flatten(values)))
            return original(self, *args, **options)

        return call

    with replaced(keras.layers.Layer, "__call__", recorded):
        yield


CORRECTION = Correction("calls", _active)
