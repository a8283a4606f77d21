"""LSTM, GRU and simple RNN as one function each, named and described, instead of a loop that has to be guessed.

The function computes what Keras computes. A SavedModel keeps it as it is; the lowerings of the other formats
replace it by what their runtimes have for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from kexport.factory.corrections._correction import Correction, Record
from kexport.runtimes.keras_model import replaced

PREFIX = "kexport_recurrent_"
_KINDS = {"LSTMCell": "lstm", "GRUCell": "gru", "SimpleRNNCell": "rnn"}


@contextlib.contextmanager
def _active(record: Record) -> Iterator[None]:
    import keras

    with replaced(keras.layers.RNN, "inner_loop", lambda original: _corrected(original, record)):
        yield


def _corrected(original: Callable[..., Any], record: Record) -> Callable[..., Any]:
    def inner_loop(self: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        import keras
        import tensorflow as tf

        kind = _KINDS.get(type(self.cell).__name__)
        plain = kind is not None and type(self.cell).__module__.startswith("keras.")
        dropping = training and (getattr(self.cell, "dropout", False) or getattr(self.cell, "recurrent_dropout", False))
        one_mask = mask[0] if isinstance(mask, list | tuple) else mask
        if not plain or dropping or self.unroll or keras.tree.is_nested(sequences):
            return original(self, sequences, initial_state, mask, training=training)
        states = list(initial_state) if keras.tree.is_nested(initial_state) else [initial_state]
        inputs = [sequences, *states, *([] if one_mask is None else [one_mask])]

        def loop(*flat: Any) -> Any:
            given = list(flat[1 : 1 + len(states)])
            return original(self, flat[0], given, None if one_mask is None else flat[-1], training=training)

        loop.__name__ = f"{PREFIX}{len(record.recurrent)}"
        function = tf.function(loop, autograph=False).get_concrete_function(
            *(tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in inputs)
        )
        record.recurrent[function.function_def.signature.name] = {
            "kind": kind,
            "units": self.cell.units,
            "states": len(states),
            "masked": one_mask is not None,
            "activation": keras.activations.serialize(self.cell.activation),
            "recurrent_activation": keras.activations.serialize(getattr(self.cell, "recurrent_activation", None))
            if hasattr(self.cell, "recurrent_activation") else None,
            "reset_after": getattr(self.cell, "reset_after", None),
            "use_bias": self.cell.use_bias,
            "go_backwards": self.go_backwards,
            "return_sequences": self.return_sequences,
            "zero_output_for_mask": bool(self.zero_output_for_mask),
            # Which captured input of the function is which weight, by its place among the captures.
            "captures": _roles(self.cell, function),
        }  # fmt: skip
        return function(*inputs)

    return inner_loop


def _roles(cell: Any, function: Any) -> list[str]:
    names = {
        id(getattr(cell, name)._value.handle): name  # its public value is a tensor where a policy casts it
        for name in ("kernel", "recurrent_kernel", "bias")
        if getattr(cell, name, None) is not None
    }
    return [names.get(id(external), "") for external, _ in function.graph.captures]


CORRECTION = Correction("recurrent", _active)
