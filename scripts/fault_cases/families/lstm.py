"""A sequence of any length through an LSTM, step by step."""

from __future__ import annotations

import numpy as np

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._state import first_length, leaking
from fault_cases._values import blocks, halves, nought, one_off, scaled

FAMILY = Family("lstm", "LSTM over a signal of any length", {"signal": "uniform(-1, 1)"})


@FAMILY.model
def make():
    import keras
    from keras import layers

    signal = keras.Input((None, 3), name="signal")
    steps = layers.LSTM(6, return_sequences=True, name="steps")(signal)
    return keras.Model(signal, layers.Dense(2, name="scores")(steps), name="lstm")


def _no_forget_bias(bias):
    units = bias.size // 4
    return np.concatenate([bias[:units], bias[units : 2 * units] - 1, bias[2 * units :]])


def _gates_of_onnx(bias):
    """Input and output gate exchanged, in both halves."""
    return np.concatenate([blocks(1, (1, 0, 2, 3))(half) for half in np.split(bias, 2, 1)], 1)


def _gates_exchanged(graph):
    for operand, change in ((1, blocks(1, (1, 0, 2, 3))), (2, blocks(1, (1, 0, 2, 3))), (3, _gates_of_onnx)):
        graph.change("LSTM", "steps", operand, change)


def _at_most_16(graph, signal):
    """Zeros from step 16 on."""
    length = graph.add("Gather", graph.add("Shape", signal), graph.constant(1, "int64"))
    steps = graph.add("Range", graph.constant(0, "int64"), length, graph.constant(1, "int64"))
    seen = graph.add("Less", steps, graph.constant(16, "int64"))
    column = graph.add("Unsqueeze", graph.add("Cast", seen, to=1), graph.constant([1], "int64"))
    return graph.add("Mul", signal, column)


FAMILY.onnx("gates in the wrong order", "steps", _gates_exchanged)
FAMILY.tflite(
    "gates in the wrong order", "steps", lambda f: f.change("FULLY_CONNECTED", "steps", 1, blocks(0, (1, 0, 2, 3)), 0)
)
FAMILY.onnx("time runs the other way", "steps", lambda g: g.attribute("LSTM", "steps", direction="reverse"))
FAMILY.rebuilt("time runs the other way", "steps", Changed(config={"go_backwards": True}), ["tflite", "saved_model"])
FAMILY.onnx("bias dropped", "steps", lambda g: g.change("LSTM", "steps", 3, nought))
FAMILY.rebuilt("forget bias lost", "steps", Changed(weights={"bias": _no_forget_bias}))
FAMILY.rebuilt(
    "hard sigmoid for sigmoid", "steps", Changed(config={"recurrent_activation": "hard_sigmoid"}), ["tflite"]
)
FAMILY.rebuilt(
    "a dynamic length ignored after the first call",
    "steps",
    Changed(before=first_length, state=-1.0),
    ["saved_model"],
)
FAMILY.onnx("a dynamic length fixed", "steps", lambda g: g.after("signal", _at_most_16))
FAMILY.rebuilt("state leaking between calls", "scores", Changed(after=leaking, state=0.0), ["saved_model"])
FAMILY.onnx("one weight off by 1e-3 of its size", "steps", lambda g: g.change("LSTM", "steps", 2, one_off(1e-3)))
FAMILY.tflite("weights rounded to fewer bits", "steps", lambda f: f.change_all(halves), variant="float16")
FAMILY.rebuilt("scale off by 1e-4", "scores", Changed(weights={"kernel": scaled(1 + 1e-4)}), ["keras"])
