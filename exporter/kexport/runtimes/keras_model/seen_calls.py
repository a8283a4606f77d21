"""What models were called on while their code ran: Keras records shapes of such calls, and no dtypes."""

from __future__ import annotations

import contextlib
import inspect
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

from kexport.runtimes.keras_model.call_records import CONTEXT, InputRecord, float_dtype, input_record
from kexport.runtimes.keras_model.patches import Method, replaced
from kexport.runtimes.keras_model.protocols import KerasModel

_SEEN: weakref.WeakKeyDictionary[Any, dict[str, object]] = weakref.WeakKeyDictionary()


@contextlib.contextmanager
def calls_seen() -> Iterator[None]:
    """Within the block, the first call of every model on arrays or tensors is remembered: user code runs here."""
    import keras

    def noted(original: Method) -> Method:
        def call(self: Any, *args: object, **options: object) -> object:
            if isinstance(self, keras.Model) and self not in _SEEN:
                _note(self, args, options)
            return original(self, *args, **options)

        return call

    with replaced(keras.layers.Layer, "__call__", noted):
        yield


def seen(model: KerasModel) -> Mapping[str, object]:
    """The structures of the arguments of the model's first call that was seen, with records as leaves."""
    return _SEEN.get(model, {})


def _note(model: Any, args: tuple[object, ...], options: dict[str, object]) -> None:
    import keras

    try:
        bound = inspect.signature(model.call).bind_partial(*args, **options).arguments
    except TypeError:  # the call itself will say so
        return
    arguments = {}
    for name, value in bound.items():
        leaves = keras.tree.flatten(value)
        arrays = all(hasattr(each, "shape") and hasattr(each, "dtype") for each in leaves)
        if name in CONTEXT or not leaves or not arrays:
            continue
        if any(isinstance(each, keras.KerasTensor) for each in leaves):
            return  # Keras records those
        arguments[name] = keras.tree.map_structure(lambda each: _record(each, model), value)
    if arguments:
        _SEEN[model] = arguments


def _record(value: Any, model: Any) -> InputRecord:
    """The record of an array; the dtype of floats is that of the model, to which Keras casts them."""
    name = str(getattr(value.dtype, "name", value.dtype))
    if name.startswith(("string", "str", "bytes", "object")):
        name = "string"
    elif not name.startswith(("bool", "int", "uint", "complex")):
        name = float_dtype(model)
    return input_record(tuple(value.shape), name, any_batch=True)
