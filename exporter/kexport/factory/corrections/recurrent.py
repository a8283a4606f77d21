"""LSTM, GRU and simple RNN layers as one named function each, with their settings recorded.

The function computes what Keras computes. A SavedModel keeps it as it is; the lowerings of the other formats replace
it by the operators of their runtimes, instead of having to recognise a loop.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from kexport.factory.corrections._correction import Correction, Record, RecurrentSettings
from kexport.factory.graph.protocols import ConcreteFunction, Tensor
from kexport.runtimes.keras_model import Method, replaced

PREFIX = "kexport_recurrent_"
_KINDS = {"LSTMCell": "lstm", "GRUCell": "gru", "SimpleRNNCell": "rnn"}


@contextlib.contextmanager
def _active(record: Record) -> Iterator[None]:
    import keras

    with replaced(keras.layers.RNN, "inner_loop", lambda original: _as_function(original, record)):
        yield


def _as_function(original: Method, record: Record) -> Method:
    def inner_loop(self: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> object:
        import keras
        import tensorflow as tf

        kind = _KINDS.get(type(self.cell).__name__)
        plain = kind is not None and type(self.cell).__module__.startswith("keras.")
        dropping = training and (getattr(self.cell, "dropout", False) or getattr(self.cell, "recurrent_dropout", False))
        one_mask = mask[0] if isinstance(mask, list | tuple) else mask
        if not plain or dropping or (self.unroll and kind != "lstm") or keras.tree.is_nested(sequences):
            return original(self, sequences, initial_state, mask, training=training)
        states = list(initial_state) if keras.tree.is_nested(initial_state) else [initial_state]
        inputs = [sequences, *states, *([] if one_mask is None else [one_mask])]

        def loop(*flat: Tensor) -> object:
            first = list(flat[1 : 1 + len(states)])
            return original(self, flat[0], first, None if one_mask is None else flat[-1], training=training)

        loop.__name__ = f"{PREFIX}{len(record.recurrent)}"
        function = tf.function(loop, autograph=False).get_concrete_function(
            *(tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in inputs)
        )
        name = function.function_def.signature.name
        record.recurrent[name] = _settings(self, str(kind), len(states), one_mask is not None, function)
        return function(*inputs)

    return inner_loop


def _settings(layer: Any, kind: str, states: int, masked: bool, function: ConcreteFunction) -> RecurrentSettings:
    import keras

    cell = layer.cell
    recurrent_activation = getattr(cell, "recurrent_activation", None)
    return {
        "kind": kind,
        "units": cell.units,
        "states": states,
        "masked": masked,
        "activation": keras.activations.serialize(cell.activation),
        "recurrent_activation": keras.activations.serialize(recurrent_activation)
        if hasattr(cell, "recurrent_activation") else None,
        "reset_after": getattr(cell, "reset_after", None),
        "use_bias": cell.use_bias,
        "unroll": bool(layer.unroll),
        "go_backwards": layer.go_backwards,
        "return_sequences": layer.return_sequences,
        "zero_output_for_mask": bool(layer.zero_output_for_mask),
        "captures": _captured_weights(cell, function),
    }  # fmt: skip


def _captured_weights(cell: Any, function: ConcreteFunction) -> list[str]:
    names = {
        id(getattr(cell, name)._value.handle): name  # its public value is a tensor where a policy casts it
        for name in ("kernel", "recurrent_kernel", "bias")
        if getattr(cell, name, None) is not None
    }
    return [names.get(id(external), "") for external, _ in function.graph.captures]


CORRECTION = Correction("recurrent", _active)
