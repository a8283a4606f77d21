"""Masked tokens through GRUs in both directions."""

from __future__ import annotations

import numpy as np

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._values import blocks, one_off, row

FAMILY = Family("gru", "masked tokens, GRUs in both directions", {"tokens": "ints(0, 12)"})


@FAMILY.model
def make(masked=True):
    import keras
    from keras import layers

    tokens = keras.Input((None,), dtype="int32", name="tokens")
    vectors = layers.Embedding(12, 4, mask_zero=masked, name="vectors")(tokens)
    forward = layers.GRU(5, name="forward")(vectors)
    backward = layers.GRU(5, go_backwards=True, name="backward")(vectors)
    both = layers.Concatenate(name="both")([forward, backward])
    return keras.Model(tokens, layers.Dense(3, activation="sigmoid", name="scores")(both), name="gru")


def _exchange(graph):
    node = graph.node("Concat", "both")
    node.input[0], node.input[1] = node.input[1], node.input[0]


def _half(bias):
    return np.concatenate([bias[:, : bias.shape[1] // 2], np.zeros_like(bias[:, bias.shape[1] // 2 :])], 1)


FAMILY.rebuilt("missing mask", "forward", Changed(arguments={"masked": False}))
FAMILY.rebuilt(
    "time runs the other way", "backward", Changed(config={"go_backwards": False}), ["onnx", "tflite", "saved_model"]
)
FAMILY.onnx("reset after instead of before", "forward", lambda g: g.attribute("GRU", "forward", linear_before_reset=0))
FAMILY.onnx("bias dropped", "backward", lambda g: g.change("GRU", "backward", 3, _half))
FAMILY.onnx("inputs swapped", "both", _exchange)
FAMILY.tflite("inputs swapped", "both", lambda f: f.swap_operands("CONCATENATION", "both"))
FAMILY.tflite("last row of a gather off by one", "vectors", lambda f: f.change("GATHER", "vectors", 0, row(-1, -2)))
FAMILY.onnx("gates in the wrong order", "forward", lambda g: g.change("GRU", "forward", 1, blocks(1, (1, 0, 2))))
FAMILY.onnx("one weight off by 1e-3 of its size", "forward", lambda g: g.change("GRU", "forward", 1, one_off(1e-3)))
