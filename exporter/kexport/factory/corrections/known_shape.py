"""An operation of which the graph loses sizes, or the rank, that its KerasTensor knows, gets them back.

`keras.ops.associative_scan` computes an axis in the graph, which makes TensorFlow lose the rank; `keras.ops.median`
loses every size. A functional model knows them, and layers behind it need them: group normalisation divides its
channels by the number of groups, for example.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kexport.factory.corrections._correction import Correction, Record
from kexport.runtimes.keras_model import Method, replaced

if TYPE_CHECKING:
    import keras

    from kexport.factory.graph.protocols import Tensor


@contextlib.contextmanager
def _active(record: Record) -> Iterator[None]:
    import keras

    with replaced(keras.Operation, "__call__", _with_known_shape):
        yield


def _with_known_shape(original: Method) -> Method:
    def call(self: Any, *args: object, **options: object) -> object:
        import keras

        result = original(self, *args, **options)
        if len(self._inbound_nodes) != 1:  # a shared operation has several results
            return result
        flat, symbolic = keras.tree.flatten(result), self._inbound_nodes[0].output_tensors
        if len(symbolic) != len(flat):
            return result
        # What a layer of the user's says of its output may be loose: only its rank is taken.
        sizes = not isinstance(self, keras.Layer)
        shaped = [_shaped(value, tensor, sizes) for value, tensor in zip(flat, symbolic, strict=True)]
        return keras.tree.pack_sequence_as(result, shaped)

    return call


def _shaped(value: Tensor, symbolic: keras.KerasTensor, sizes: bool) -> Tensor:
    import tensorflow as tf

    if not isinstance(value, tf.Tensor):
        return value
    known, shape = value.shape, tf.TensorShape(symbolic.shape)
    lost = known.rank is None or (sizes and known.is_compatible_with(shape) and known != known.merge_with(shape))
    return tf.ensure_shape(value, shape) if lost else value


CORRECTION = Correction("known_shape", _active)
