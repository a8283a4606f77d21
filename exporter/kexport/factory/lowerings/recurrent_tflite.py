"""LSTM, GRU and simple RNN as a loop that computes in each step only what depends on the step before.

The product of the inputs with their kernel, and the bias, are computed for all steps at once; the gates that share an
activation lie side by side and take it together. Sums are those of Keras in another order.
Source: the equations of keras.layers.LSTMCell, GRUCell and SimpleRNNCell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kexport.factory.graph import tensor_lists
from kexport.factory.graph.protocols import Tensor
from kexport.factory.graph.recurrence import RECURRENT, Recurrence
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings.tensor_list_tflite import update

#: The activations whose TensorFlow operations TFLite computes correctly.
_PLAIN = ("sigmoid", "tanh", "relu", "relu6", "linear", "hard_sigmoid")
_Step = Callable[[Tensor, Sequence[Tensor]], list[Tensor]]


def _applies(recurrence: Recurrence, _: Sequence[Tensor]) -> bool:
    names = (recurrence.settings["activation"], recurrence.settings["recurrent_activation"])
    looped = recurrence.mask is None and not recurrence.settings["unroll"]
    return looped and all(name is None or name in _PLAIN for name in names)


def _activation(name: str) -> Callable[[Tensor], Tensor]:
    import tensorflow as tf

    simple = {"linear": lambda x: x, "hard_sigmoid": lambda x: tf.nn.relu6(x + 3.0) * (1 / 6)}
    return simple[name] if name in simple else getattr(tf.nn, name)


def _emit(recurrence: Recurrence, _: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    units, whole = recurrence.settings["units"], recurrence.settings["return_sequences"]
    projected, step = _STEPS[recurrence.settings["kind"]](recurrence)
    if recurrence.backwards:
        projected = tf.reverse(projected, [0])
    count = projected.shape[0] or tf.shape(projected)[0]
    states = [tf.ensure_shape(state, (projected.shape[1], units)) for state in recurrence.states]
    lists = []
    if whole:
        batch = projected.shape[1] or tf.shape(projected)[1]
        lists = [tensor_lists.zeros(tf.convert_to_tensor(count), [batch, units], tf.float32)]

    def body(index: Tensor, *carried: Tensor) -> list[Tensor]:
        new = step(tf.gather(projected, index), carried[: len(states)])
        return [index + 1, *new, *(update(items, index, new[0]) for items in carried[len(states) :])]

    _, *results = tf.while_loop(lambda index, *_: index < count, body, [tf.constant(0), *states, *lists])
    last = results[0]
    outputs = tf.transpose(results[-1], (1, 0, 2)) if whole else tf.expand_dims(last, 1)
    return [last, outputs, *results[: len(states)]]


def _projected(recurrence: Recurrence, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """Kernel and bias applied to the inputs of all steps: (time, batch, gates * units)."""
    import tensorflow as tf

    x = recurrence.sequences
    steps, width = x.shape[1] or tf.shape(x)[1], kernel.shape[1]
    flat = tf.matmul(tf.reshape(tf.transpose(x, (1, 0, 2)), (-1, kernel.shape[0])), kernel)
    flat = flat if bias is None else tf.nn.bias_add(flat, bias)
    projected = tf.reshape(flat, tf.stack([steps, -1 if x.shape[0] is None else x.shape[0], width]))
    projected.set_shape((x.shape[1], x.shape[0], width))
    return projected


def _lstm(recurrence: Recurrence) -> tuple[Tensor, _Step]:
    import tensorflow as tf

    settings, weights = recurrence.settings, recurrence.weights
    units = settings["units"]
    # From i, f, c, o to i, f, o, c: the three that share an activation come first.
    order = [gate * units + unit for gate in (0, 1, 3, 2) for unit in range(units)]
    kernel, recurrent = (tf.gather(weights[name], order, axis=1) for name in ("kernel", "recurrent_kernel"))
    bias = tf.gather(weights["bias"], order) if "bias" in weights else None
    act, gate = _activation(settings["activation"]), _activation(settings["recurrent_activation"])

    def step(x: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        sums, new = tf.split(x + tf.matmul(states[0], recurrent), [3 * units, units], 1)
        keep_in, forget, out = tf.split(gate(sums), 3, 1)
        cell = forget * states[1] + keep_in * act(new)
        return [out * act(cell), cell]

    return _projected(recurrence, kernel, bias), step


def _gru(recurrence: Recurrence) -> tuple[Tensor, _Step]:
    import tensorflow as tf

    settings, weights = recurrence.settings, recurrence.weights
    units, after = settings["units"], settings["reset_after"]
    recurrent = weights["recurrent_kernel"]
    bias, inner_bias = weights.get("bias"), None
    if bias is not None and after:
        bias, inner_bias = tf.unstack(bias)
    act, gate = _activation(settings["activation"]), _activation(settings["recurrent_activation"])
    gates, candidate = recurrent[:, : 2 * units], recurrent[:, 2 * units :]

    def step_after(x: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        inner = tf.matmul(states[0], recurrent)
        inner = inner if inner_bias is None else tf.nn.bias_add(inner, inner_bias)
        x_gates, x_new = tf.split(x, [2 * units, units], 1)
        inner_gates, inner_new = tf.split(inner, [2 * units, units], 1)
        update_gate, reset = tf.split(gate(x_gates + inner_gates), 2, 1)
        return [_mixed(update_gate, states[0], act(x_new + reset * inner_new))]

    def step_before(x: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        x_gates, x_new = tf.split(x, [2 * units, units], 1)
        update_gate, reset = tf.split(gate(x_gates + tf.matmul(states[0], gates)), 2, 1)
        return [_mixed(update_gate, states[0], act(x_new + tf.matmul(reset * states[0], candidate)))]

    return _projected(recurrence, weights["kernel"], bias), step_after if after else step_before


def _mixed(share: Tensor, old: Tensor, new: Tensor) -> Tensor:
    return share * old + (1.0 - share) * new


def _rnn(recurrence: Recurrence) -> tuple[Tensor, _Step]:
    import tensorflow as tf

    weights, act = recurrence.weights, _activation(recurrence.settings["activation"])

    def step(x: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        return [act(x + tf.matmul(states[0], weights["recurrent_kernel"]))]

    return _projected(recurrence, weights["kernel"], weights.get("bias")), step


_STEPS = {"lstm": _lstm, "gru": _gru, "rnn": _rnn}

LOWERING = Lowering("recurrent_tflite", ("tflite",), (RECURRENT,), _emit, _applies)
