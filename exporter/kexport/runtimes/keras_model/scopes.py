"""Names of layers, as TensorFlow takes them for the scopes of a graph."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def cleaned() -> Iterator[None]:
    """Within the block, a layer may bear any name: what TensorFlow refuses in a scope becomes `_`."""
    import keras
    import tensorflow as tf

    original = keras.name_scope.__enter__

    def enter(self: Any) -> Any:
        if (name := clean(self.name)) != self.name:
            self._tf_name_scope = tf.name_scope(name)
        return original(self)

    keras.name_scope.__enter__ = enter
    try:
        yield
    finally:
        keras.name_scope.__enter__ = original


def clean(name: str) -> str:
    """The name as a scope in a graph."""
    fit = re.sub(r"[^A-Za-z0-9_.\-]", "_", name)
    return fit if re.match(r"[A-Za-z0-9]", fit) else f"t{fit}"
