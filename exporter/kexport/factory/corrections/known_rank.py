"""An operation whose result has an unknown rank in the graph gets the shape of its KerasTensor.

`keras.ops.associative_scan`, for example, computes an axis in the graph, which makes TensorFlow lose the rank; a
functional model knows it.
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

    with replaced(keras.Operation, "__call__", _with_known_rank):
        yield


def _with_known_rank(original: Method) -> Method:
    def call(self: Any, *args: object, **options: object) -> object:
        import keras
        import tensorflow as tf

        result = original(self, *args, **options)
        flat = keras.tree.flatten(result)
        lost = [tf.is_tensor(value) and isinstance(value, tf.Tensor) and value.shape.rank is None for value in flat]
        if not any(lost) or len(self._inbound_nodes) != 1:  # a shared operation has several results
            return result
        symbolic = self._inbound_nodes[0].output_tensors
        if len(symbolic) != len(flat):
            return result
        shaped = [
            tf.ensure_shape(value, tensor.shape) if unknown else value
            for value, tensor, unknown in zip(flat, symbolic, lost, strict=True)
        ]  # fmt: skip
        return keras.tree.pack_sequence_as(result, shaped)

    return call


CORRECTION = Correction("known_rank", _active)
