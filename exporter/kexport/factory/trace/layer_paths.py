"""The layers of a model, each with its path."""

from __future__ import annotations

from collections.abc import Iterator

from kexport.factory.trace.protocols import BuiltLayer, BuiltModel
from kexport.factory.trace.served import Served


def paths(model: BuiltModel | BuiltLayer | Served, path: str = "") -> Iterator[tuple[BuiltLayer, str]]:
    """Every layer, and every operation of a functional model, with its path."""
    import keras

    for operation in getattr(model, "operations", ()):
        if not isinstance(operation, keras.Layer):
            yield operation, f"{path}{operation.name}"
    for layer in model._layers:
        yield layer, f"{path}{layer.name}"
        yield from paths(layer, f"{path}{layer.name}/")
