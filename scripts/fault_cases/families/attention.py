"""A transformer's block: attention over as many steps as there are heads times channels, so that axes are alike."""

from __future__ import annotations

import numpy as np

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._values import constant, swapped, transposed

FAMILY = Family("attention", "causal attention, layer normalisation, exact GELU", {"steps": "uniform(-2, 2)"})


@FAMILY.model
def make():
    import keras
    from keras import layers

    steps = keras.Input((8, 8), name="steps")
    attended = layers.MultiHeadAttention(2, 4, name="attended")(steps, steps, use_causal_mask=True)
    added = layers.Add(name="added")([steps, attended])
    normed = layers.LayerNormalization(epsilon=1e-3, name="normed")(added)
    wide = layers.Dense(16, activation="gelu", name="wide")(normed)
    return keras.Model(steps, layers.Dense(8, name="narrow")(wide), name="attention")


def _approximate(x):
    from keras import ops

    return ops.gelu(x, approximate=True)


def _one_ahead(mask):
    return np.tril(np.ones(mask.shape, bool), 1)


def _unbiased(graph, variance):
    return graph.add("Mul", variance, graph.constant(8 / 7, "float32"))


def _dropped(graph, steps):
    return graph.add("Mul", steps, graph.constant(0.0, "float32"))


FAMILY.onnx("softmax over the wrong axis", "attended", lambda g: g.attribute("Softmax", "attended", axis=2))
FAMILY.onnx("missing mask", "attended", lambda g: g.change("And", "attended", 1, constant(True)))
FAMILY.tflite("missing mask", "attended", lambda f: f.change("LOGICAL_AND", "attended", 1, constant(True)))
FAMILY.onnx("mask off by one", "attended", lambda g: g.change("And", "attended", 1, _one_ahead))
FAMILY.tflite("mask off by one", "attended", lambda f: f.change("LOGICAL_AND", "attended", 1, _one_ahead))
FAMILY.onnx("missing scale", "attended", lambda g: g.change("Mul", "attended", 1, constant(1.0)))
FAMILY.tflite("missing scale", "attended", lambda f: f.change("MUL", "attended", 1, constant(1.0)))
FAMILY.onnx("wrong layer-norm epsilon", "normed", lambda g: g.change("Add", "normed", 1, constant(1e-6), 0))
FAMILY.rebuilt("wrong layer-norm epsilon", "normed", Changed(config={"epsilon": 1e-6}), ["tflite"])
FAMILY.tflite("tanh form of gelu", "wide", lambda f: f.option("GELU", "wide", approximate=True))
FAMILY.rebuilt("tanh form of gelu", "wide", Changed(config={"activation": _approximate}), ["onnx"])
FAMILY.onnx("skip connection dropped", "added", lambda g: g.before("Add", "added", 0, _dropped))
FAMILY.onnx(
    "two channels swapped", "attended", lambda g: g.change("MatMul", "query", 1, swapped(1, 0, 4)), variant="of heads"
)
FAMILY.onnx("dense kernel transposed", "attended", lambda g: g.change("MatMul", "value", 1, transposed(0, 1)))
FAMILY.rebuilt("normalised over the wrong axis", "normed", Changed(config={"axis": 1}))
FAMILY.onnx("variance of a sample", "normed", lambda g: g.after(g.node("ReduceMean", "normed", 1).output[0], _unbiased))
