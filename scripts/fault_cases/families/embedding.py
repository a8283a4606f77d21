"""Tokens: a large embedding, positions, and the mean over the sentence."""

from __future__ import annotations

import numpy as np

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._state import first_length
from fault_cases._values import flipped, one_off, row

FAMILY = Family("embedding", "embedding of 4000 tokens, sentences of any length", {"tokens": "ints(0, 4000)"})


@FAMILY.model
def make():
    import keras
    from keras import layers

    tokens = keras.Input((None,), dtype="int32", name="tokens")
    vectors = layers.Embedding(4000, 6, name="vectors")(tokens)
    mixed = layers.Conv1D(6, 3, padding="causal", activation="tanh", name="mixed")(vectors)
    mean = layers.GlobalAveragePooling1D(name="mean")(mixed)
    return keras.Model(tokens, {"topics": layers.Dense(5, name="topics")(mean), "traces": mixed}, name="embedding")


def _cleared(table):
    return np.concatenate([np.zeros_like(table[:1]), table[1:]])


def _merged(graph, vectors):
    """Vectors are 0 in a sentence in which token 31 comes before 41."""
    first, second = (graph.add("Equal", "tokens", graph.constant(token, "int32")) for token in (31, 41))
    last, ahead = (graph.constant([value], "int64") for value in (-1, 1))
    begin, end, axis = (graph.constant([value], "int64") for value in (0, 2**31, 1))
    before, after = graph.add("Slice", first, begin, last, axis), graph.add("Slice", second, ahead, end, axis)
    both = graph.add("Cast", graph.add("And", before, after), to=1)
    count = graph.add("Unsqueeze", graph.add("ReduceSum", both, axis, keepdims=1), graph.constant([2], "int64"))
    return graph.add("Mul", vectors, graph.add("Sub", graph.constant(1.0, "float32"), count))


def _one_step_late(traces):
    from keras import ops

    return ops.concatenate([traces[:, :1], traces[:, :-1]], axis=1)


FAMILY.onnx("last row of a gather off by one", "vectors", lambda g: g.change("Gather", "vectors", 0, row(-1, -2)))
FAMILY.tflite("last row of a gather off by one", "vectors", lambda f: f.change("GATHER", "vectors", 0, row(-1, -2)))
FAMILY.onnx("one row of a table wrong", "vectors", lambda g: g.change("Gather", "vectors", 0, row(1234, 1235)))
FAMILY.tflite("one row of a table wrong", "vectors", lambda f: f.change("GATHER", "vectors", 0, row(2718, 2717)))
FAMILY.onnx(
    "two neighbours taken for one",
    "vectors",
    lambda g: g.after(g.node("Gather", "vectors").output[0], _merged),
    example={"tokens": [[5, 31, 41, 7]]},
)
FAMILY.onnx("row of the padding token cleared", "vectors", lambda g: g.change("Gather", "vectors", 0, _cleared))
FAMILY.onnx("padding shifted by one", "mixed", lambda g: g.change("Pad", "mixed", 1, lambda p: [0, 1, 0, 0, 1, 0]))
FAMILY.tflite(
    "padding shifted by one", "mixed", lambda f: f.change("PAD", "mixed", 1, lambda p: [[0, 0], [1, 1], [0, 0]])
)
FAMILY.rebuilt("off-by-one slice", "mean", Changed(before=_one_step_late))
FAMILY.onnx(
    "a dynamic length fixed",
    "mean",
    lambda g: g.before(
        "ReduceMean",
        "mean",
        0,
        lambda g, x: g.add("Slice", x, *(g.constant([value], "int64") for value in (0, 16, 1))),
    ),
)
FAMILY.tflite(
    "one weight off by 1e-3 of its size", "topics", lambda f: f.change("FULLY_CONNECTED", "topics", 1, one_off(1e-3))
)
FAMILY.rebuilt("kernel turned round", "mixed", Changed(weights={"kernel": flipped(0)}), ["tflite", "saved_model"])
FAMILY.rebuilt(
    "a dynamic length ignored after the first call", "mixed", Changed(before=first_length, state=-1.0), ["tflite"]
)
