"""Calls in which every `tf.function` runs as the Python that it was made from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def functions_run_eagerly() -> Iterator[None]:
    """Within the block, each `tf.function` runs as Python; afterwards as before it."""
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)
