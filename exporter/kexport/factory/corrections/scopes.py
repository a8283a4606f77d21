"""Scopes tell which layer, or which operation of a functional model, each part of the graph comes from.

Keras opens a scope for every layer; the graph makes its name unique, so which layer opened which is recorded as it
happens. For an operation in a functional model, `keras.ops.fft` on a KerasTensor for one, Keras opens none.
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

    with (
        replaced(keras.name_scope, "__enter__", lambda original: _recorded(original, record)),
        replaced(keras.Operation, "__call__", _scoped),
    ):
        yield


def _recorded(original: Callable[..., Any], record: Record) -> Callable[..., Any]:
    def enter(self: Any) -> Any:
        import tensorflow as tf

        result = original(self)
        if self.caller is not None:
            callers = record.scopes.setdefault(tf.get_current_name_scope(), [])
            if not any(caller is self.caller for caller in callers):
                callers.append(self.caller)
        return result

    return enter


def _scoped(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **options: Any) -> Any:
        import keras

        if isinstance(self, keras.Layer):  # which opens its own
            return original(self, *args, **options)
        with keras.name_scope(self.name, caller=self):
            return original(self, *args, **options)

    return call


CORRECTION = Correction("scopes", _active)
