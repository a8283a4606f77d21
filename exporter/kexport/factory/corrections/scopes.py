"""Records which layer, or which operation of a functional model, opened each scope of the graph.

Keras opens a scope for every layer; the graph makes its name unique, so the layer is recorded when it opens the scope.
For an operation of a functional model, such as `keras.ops.fft` on a KerasTensor, Keras opens none: one is opened here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from kexport.factory.corrections._correction import Correction, Record
from kexport.runtimes.keras_model import Method, replaced


@contextlib.contextmanager
def _active(record: Record) -> Iterator[None]:
    import keras

    with (
        replaced(keras.name_scope, "__enter__", lambda original: _recorded(original, record)),
        replaced(keras.Operation, "__call__", _scoped),
    ):
        yield


def _recorded(original: Method, record: Record) -> Method:
    def enter(self: Any) -> object:
        import tensorflow as tf

        result = original(self)
        if self.caller is not None:
            callers = record.scopes.setdefault(tf.get_current_name_scope(), [])
            if not any(caller is self.caller for caller in callers):
                callers.append(self.caller)
        return result

    return enter


def _scoped(original: Method) -> Method:
    def call(self: Any, *args: object, **options: object) -> object:
        import keras

        if isinstance(self, keras.Layer):  # which opens a scope itself
            return original(self, *args, **options)
        with keras.name_scope(self.name, caller=self):
            return original(self, *args, **options)

    return call


# What other corrections add to the graph belongs into the scope of the operation.
CORRECTION = Correction("scopes", _active, encloses=True)
