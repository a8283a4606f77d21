"""Names of layers as TensorFlow accepts them for the scopes of a graph."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import Any

from kexport.runtimes.keras_model.patches import Method, replaced


def any_layer_name() -> AbstractContextManager[None]:
    """Within the block, layers may have any name: characters that TensorFlow refuses in a scope become `_`."""
    import keras

    return replaced(keras.name_scope, "__enter__", _with_scope_name)


def _with_scope_name(original: Method) -> Method:
    def enter(self: Any) -> object:
        import tensorflow as tf

        if (name := scope_name(self.name)) != self.name:
            self._tf_name_scope = tf.name_scope(name)
        return original(self)

    return enter


def scope_name(name: str) -> str:
    """The name of a layer as the name of a scope in a graph."""
    accepted = re.sub(r"[^A-Za-z0-9_.\-]", "_", name)
    return accepted if re.match(r"[A-Za-z0-9]", accepted) else f"t{accepted}"
