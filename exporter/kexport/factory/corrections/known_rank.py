"""An operation whose result has no known rank in the graph has the shape that its KerasTensor has.

`keras.ops.associative_scan`, for one, computes an axis in the graph, and TensorFlow loses the rank over that; a
functional model knows it.
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

    with replaced(keras.Operation, "__call__", _corrected):
        yield


def _corrected(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **options: Any) -> Any:
        import keras
        import tensorflow as tf

        result = original(self, *args, **options)
        flat = keras.tree.flatten(result)
        lost = [tf.is_tensor(value) and isinstance(value, tf.Tensor) and value.shape.rank is None for value in flat]
        if not any(lost) or len(self._inbound_nodes) != 1:  # a shared one has several results
            return result
        known = self._inbound_nodes[0].output_tensors
        if len(known) != len(flat):
            return result
        settled = [
            tf.ensure_shape(value, tensor.shape) if unknown else value
            for value, tensor, unknown in zip(flat, known, lost, strict=True)
        ]  # fmt: skip
        return keras.tree.pack_sequence_as(result, settled)

    return call


CORRECTION = Correction("known_rank", _active)
