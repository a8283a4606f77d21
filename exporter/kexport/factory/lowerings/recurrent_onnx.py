"""LSTM, GRU and simple RNN as the nodes of these names, where ONNX knows the layer's activations.

ONNX orders the gates of an LSTM i, o, f, c (Keras: i, f, c, o) and those of a GRU as Keras does; it adds two biases,
of which Keras has one (GRU with `reset_after`: both). Kernels are transposed. A mask becomes a count of steps, after
the steps that count are brought to the front; a count of 0, which runtimes refuse, becomes 1 and its result is not
used.
Source: https://onnx.ai/onnx/operators/onnx__LSTM.html, onnx__GRU.html, onnx__RNN.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Tensor
from kexport.factory.graph.recurrence import RECURRENT, Recurrence, UnmaskedSteps
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings.reverse_onnx import reverse
from kexport.factory.onnx_nodes import onnx_node

_NODES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
_GATES = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2), "rnn": (0,)}
#: ONNX' name of an activation, and its alpha and beta, where it has any.
_ACTIVATIONS: dict[str, tuple[str, list[float]]] = {
    "sigmoid": ("Sigmoid", []),
    "tanh": ("Tanh", []),
    "relu": ("Relu", []),
    "softplus": ("Softplus", []),
    "softsign": ("Softsign", []),
    "elu": ("Elu", [1.0]),
    "leaky_relu": ("LeakyRelu", [0.2]),
    "hard_sigmoid": ("HardSigmoid", [1 / 6, 0.5]),
    "linear": ("Affine", [1.0, 0.0]),
}


def _applies(recurrence: Recurrence, _: Sequence[Tensor]) -> bool:
    return not recurrence.settings["unroll"] and all(
        isinstance(name, str) and name in _ACTIVATIONS for name in _used(recurrence)
    )


def _used(recurrence: Recurrence) -> list[str]:
    """Keras' names of the activations, in ONNX' order."""
    activation, gates = recurrence.settings["activation"], recurrence.settings["recurrent_activation"]
    kind = recurrence.settings["kind"]
    return {"lstm": [gates, activation, activation], "gru": [gates, activation], "rnn": [activation]}[kind]


def _emit(recurrence: Recurrence, _: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    steps = None if recurrence.mask is None else UnmaskedSteps.of(recurrence)
    counts = None if steps is None else tf.maximum(steps.counts, 1)
    outputs, *states = _node(recurrence, recurrence.sequences if steps is None else steps.sequences, counts)
    last = states[0]
    if steps is not None:
        zero = bool(recurrence.settings["zero_output_for_mask"])
        last = steps.kept(last, tf.zeros_like(last))
        if zero:
            last *= tf.cast(steps.mask[:, -1:], last.dtype)
        states = [steps.kept(new, old) for new, old in zip(states, recurrence.states, strict=True)]
    if not recurrence.settings["return_sequences"]:
        return [last, tf.expand_dims(last, 1), *states]
    outputs = tf.transpose(outputs, (1, 0, 2))
    if steps is not None:
        outputs = steps.spread(outputs, zero)
    elif recurrence.backwards:
        outputs = reverse(outputs, [1])
    return [last, outputs, *states]


def _node(recurrence: Recurrence, sequences: Tensor, counts: Tensor | None) -> list[Tensor]:
    """Outputs (time, batch, units), and the last states (batch, units)."""
    import tensorflow as tf

    settings = recurrence.settings
    kind, units = settings["kind"], settings["units"]
    x = tf.transpose(sequences, (1, 0, 2))
    steps, batch = x.shape[0], x.shape[1]
    states = [None] * len(recurrence.states)
    if not recurrence.starts_at_zero():
        states = [tf.expand_dims(state, 0) for state in recurrence.states]
    names, numbers = zip(*(_ACTIVATIONS[name] for name in _used(recurrence)), strict=True)
    attributes: dict[str, object] = {"hidden_size": units, "activations": list(names)}
    if any(numbers):
        attributes["activation_alpha"] = [given[0] for given in numbers if given]
        attributes["activation_beta"] = [given[1] for given in numbers if len(given) > 1]
    if not attributes.get("activation_beta"):
        attributes.pop("activation_beta", None)
    if recurrence.backwards and counts is None:
        attributes["direction"] = "reverse"
    if kind == "gru":
        attributes["linear_before_reset"] = int(settings["reset_after"])
    outputs, *last = onnx_node(
        _NODES[kind],
        [x, *_weights(recurrence), counts, *states],
        [(tf.float32, [steps, 1, batch, units]), *[(tf.float32, [1, batch, units])] * len(states)],
        attributes,
    )
    return [tf.squeeze(outputs, [1]), *(tf.squeeze(state, [0]) for state in last)]


def _weights(recurrence: Recurrence) -> list[Tensor | None]:
    """W, R and B; B is None without a bias."""
    import tensorflow as tf

    gates, units = _GATES[recurrence.settings["kind"]], recurrence.settings["units"]

    order = [gate * units + unit for gate in gates for unit in range(units)]

    def arranged(weight: Tensor) -> Tensor:
        return weight if gates == tuple(range(len(gates))) else tf.gather(weight, order, axis=-1)

    kernels = [
        tf.expand_dims(tf.transpose(arranged(recurrence.weights[name])), 0) for name in ("kernel", "recurrent_kernel")
    ]
    bias = recurrence.weights.get("bias")
    if bias is None:
        return [*kernels, None]
    bias = arranged(bias)
    both = [bias, tf.zeros_like(bias)] if bias.shape.rank == 1 else tf.unstack(bias)
    return [*kernels, tf.expand_dims(tf.concat(both, 0), 0)]


LOWERING = Lowering("recurrent_onnx", ("onnx",), (RECURRENT,), _emit, _applies)
