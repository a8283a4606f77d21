"""A dense layer whose kernel is a constant, and one that sees the input again."""

import numpy as np

from contract_cases import _dense
from contract_cases._handmade import Handmade, node
from kexport_layers.convex_dense import ConvexDense


def _again(layer):
    nodes = [
        node("MatMul", "inputs kernel", "hidden"),
        node("Gemm", "x skip bias", "seen"),
        node("Add", "hidden seen", "sum"),
        node("Relu", "sum"),
    ]
    constants = {"kernel": layer.kernel, "skip": layer.skip_kernel, "bias": layer.bias}
    return nodes, {name: np.asarray(value) for name, value in constants.items()}


def _function(layer):
    import tensorflow as tf

    kernel, skip, bias = map(np.asarray, (layer.kernel, layer.skip_kernel, layer.bias))
    return lambda inputs, x: tf.nn.relu(tf.nn.bias_add(tf.matmul(inputs, kernel) + tf.matmul(x, skip), bias))


CASES = [
    Handmade(
        "convex_dense", lambda: ConvexDense(64, activation="relu"), {"x": (64,)}, 128, _dense.graph("Relu"),
        _dense.function("relu"),
    ),
    Handmade(
        "convex_dense that sees the input again", lambda: ConvexDense(64, "relu", hidden=True),
        {"inputs": (64,), "x": (64,)}, 128, _again, _function,
    ),
]  # fmt: skip
