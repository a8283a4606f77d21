"""Recurrent layers in float64, step by step, in NumPy: what the lowerings of recurrent layers are held against."""

import numpy as np

ACTIVATIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "linear": lambda x: x,
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "relu6": lambda x: np.clip(x, 0, 6),
}


def recurrent(layer, x, states=None, mask=None):
    """The outputs (batch, time, units) in the order of computation, and the last states."""
    cell, units = layer.cell, layer.units
    weights = [weight.numpy().astype("float64") for weight in cell.weights]
    step = {"LSTMCell": _lstm, "GRUCell": _gru, "SimpleRNNCell": _rnn}[type(cell).__name__]
    x = x.astype("float64")
    mask = np.ones(x.shape[:2], bool) if mask is None else mask
    if layer.go_backwards:
        x, mask = x[:, ::-1], mask[:, ::-1]
    if states is None:
        states = [np.zeros((len(x), units))] * (2 if step is _lstm else 1)
    states = [state.astype("float64") for state in states]
    last, outputs = np.zeros((len(x), units)), []
    for inputs, counts in zip(x.swapaxes(0, 1), mask.T[:, :, None], strict=True):
        new = step(cell, weights, inputs, states)
        last = np.where(counts, new[0], 0 if layer.zero_output_for_mask else last)
        states = [np.where(counts, one, other) for one, other in zip(new, states, strict=True)]
        outputs.append(last)
    return np.stack(outputs, 1), states


def _functions(cell):
    names = cell.get_config()
    gate = ACTIVATIONS[names.get("recurrent_activation", "linear")]
    return ACTIVATIONS[names["activation"]], gate


def _lstm(cell, weights, x, states):
    act, gate = _functions(cell)
    kernel, recurrent_kernel, *bias = weights
    i, f, c, o = np.split(x @ kernel + states[0] @ recurrent_kernel + (bias[0] if bias else 0), 4, 1)
    new = gate(f) * states[1] + gate(i) * act(c)
    return [gate(o) * act(new), new]


def _gru(cell, weights, x, states):
    act, gate = _functions(cell)
    kernel, recurrent_kernel, *bias = weights
    outer, inner = (bias[0] if cell.reset_after else (bias[0], 0)) if bias else (0, 0)
    z, r, n = np.split(x @ kernel + outer, 3, 1)
    units = cell.units
    if cell.reset_after:
        own_z, own_r, own_n = np.split(states[0] @ recurrent_kernel + inner, 3, 1)
        z, r = gate(z + own_z), gate(r + own_r)
        own_n = r * own_n
    else:
        own_z, own_r = np.split(states[0] @ recurrent_kernel[:, : 2 * units], 2, 1)
        z, r = gate(z + own_z), gate(r + own_r)
        own_n = (r * states[0]) @ recurrent_kernel[:, 2 * units :]
    return [z * states[0] + (1 - z) * act(n + own_n)]


def _rnn(cell, weights, x, states):
    kernel, recurrent_kernel, *bias = weights
    return [_functions(cell)[0](x @ kernel + states[0] @ recurrent_kernel + (bias[0] if bias else 0))]
