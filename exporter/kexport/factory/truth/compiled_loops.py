"""Keras' recurrent layers as graphs while the truth is computed: eagerly, each step of a loop costs ten milliseconds.

The kernels are the same. Where functions are run eagerly, as for noise in every operation, layers are too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from kexport.factory.graph.protocols import Tensor
from kexport.runtimes.keras_model import Method, replaced

#: Of these, what a step computes depends on nothing but tensors and weights.
_CELLS = ("LSTMCell", "GRUCell", "SimpleRNNCell")
#: Steps of a loop that are worth a graph.
_WORTH = 8


@contextlib.contextmanager
def compiled_loops(graphs: dict[object, Any]) -> Iterator[None]:
    """Within the block, recurrent layers are run as graphs.

    Args:
        graphs: those that were made before, of the same layers, which must keep their variables.
    """
    import keras

    with replaced(keras.layers.RNN, "inner_loop", lambda original: _compiled(original, graphs)):
        yield


def _compiled(original: Method, graphs: dict[object, Any]) -> Method:
    def inner_loop(self: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> object:
        import keras
        import tensorflow as tf

        cell = type(self.cell)
        plain = cell.__name__ in _CELLS and cell.__module__.startswith("keras.")
        if not plain or training or not tf.executing_eagerly() or not isinstance(sequences, tf.Tensor):
            return original(self, sequences, initial_state, mask, training=training)
        if self.unroll or sequences.shape[1] < _WORTH or tf.config.functions_run_eagerly():
            return original(self, sequences, initial_state, mask, training=training)

        def loop(sequences: Tensor, initial_state: object, *masks: Tensor) -> object:
            return original(self, sequences, initial_state, masks[0] if masks else None, training=False)

        arguments = sequences, initial_state, *([] if mask is None else [mask])
        specs = keras.tree.map_structure(lambda each: tf.TensorSpec((None, *each.shape[1:]), each.dtype), arguments)
        key = (id(self), str(specs))
        if key not in graphs:
            graphs[key] = tf.function(loop, input_signature=specs, autograph=False)
        return graphs[key](*arguments)

    return inner_loop
