"""LSTM as TFLite's one operator of it, for layers that start at zero and of which nothing reads the cell's state.

The converter recognises a call of a function whose attribute says that it implements an LSTM. It takes six arguments,
weights as constants, and states of a known batch, which the operator keeps between calls: `formats/_tflite_states.py`
has the file set them to zero in each call, for any batch. The body is TensorFlow's own operation, which TFLite lacks:
a call that the converter does not recognise is refused, and never computed by anything else.
Source: `CheckFusableKerasLstm` and `ConvertKerasLSTMLayer` of TensorFlow's `compiler/mlir/lite`; the equations of
keras.layers.LSTMCell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kexport.errors import ExportError
from kexport.factory.graph.protocols import Graph, Tensor
from kexport.factory.graph.recurrence import RECURRENT, Recurrence
from kexport.factory.lowerings._rule import Lowering, Missing

NAME = "lstm_tflite"
_BODY = "BlockLSTMV2"


def has_lstm(graph: Graph) -> bool:
    """Whether an emitted graph has such a call; all others are inlined."""
    return any(operation.type in ("PartitionedCall", "StatefulPartitionedCall") for operation in graph.get_operations())


def is_unrecognised(refused: ExportError) -> bool:
    """Whether the converter refused a model because it did not recognise such a call."""
    return _BODY in str(refused)


def _applies(recurrence: Recurrence, _: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    settings = recurrence.settings
    usual = settings["activation"] == "tanh" and settings["recurrent_activation"] == "sigmoid"
    whole = not tf.compat.v1.get_default_graph().building_function  # the body of a loop keeps no state of its own
    simple = recurrence.mask is None and recurrence.starts_at_zero() and not recurrence.last_state_is_read
    return settings["kind"] == "lstm" and usual and whole and simple


def _emit(recurrence: Recurrence, _: Sequence[Tensor]) -> Sequence[object]:
    import tensorflow as tf

    units, x = recurrence.settings["units"], recurrence.sequences
    if recurrence.backwards:
        x = tf.reverse(x, [1])
    zero = tf.zeros((x.shape[0] or 1, units))
    weights = recurrence.weights
    bias = weights["bias"] if "bias" in weights else tf.zeros(4 * units)
    scope = re.sub(r"\W", "_", tf.compat.v1.get_default_graph().get_name_scope())
    attributes = {
        "api_implements": f"lstm_{scope}",
        "api_preferred_device": "CPU",
        "time_major": False,
        "go_backwards": False,
    }
    call = tf.function(_layer, autograph=False, experimental_attributes=attributes)
    _, outputs, *_ = call(x, zero, zero, weights["kernel"], weights["recurrent_kernel"], bias)
    outputs.set_shape((x.shape[0], x.shape[1], units))
    last = outputs[:, -1]
    whole = outputs if recurrence.settings["return_sequences"] else tf.expand_dims(last, 1)
    return [last, whole, last, Missing(_BODY, "the operator does not return the state of its cell")]


def _layer(x: Tensor, h: Tensor, c: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor) -> list[Tensor]:
    """The last output, all of them, both last states, and a number that the converter expects and nothing reads."""
    import tensorflow as tf

    peepholes = dict.fromkeys(("wci", "wcf", "wco"), tf.zeros(h.shape[1]))
    states, weights = {"h_prev": h, "cs_prev": c}, {"w": tf.concat([kernel, recurrent_kernel], 0), "b": bias}
    steps = tf.shape(x, out_type=tf.int64)[1]
    given = {"x": tf.transpose(x, (1, 0, 2)), "seq_len_max": steps}
    computed = tf.raw_ops.BlockLSTMV2(**given, **states, **weights, **peepholes)
    outputs = tf.ensure_shape(tf.transpose(computed.h, (1, 0, 2)), (x.shape[0], x.shape[1], h.shape[1]))
    return [outputs[:, -1], outputs, computed.h[-1], computed.cs[-1], tf.constant(1.0)]


LOWERING = Lowering(NAME, (), (RECURRENT,), _emit, _applies, before=("recurrent_tflite",))
