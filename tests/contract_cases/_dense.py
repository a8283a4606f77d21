"""Dense layers as one matrix: what is left of a constrained kernel in an artifact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from contract_cases._handmade import Node, node


def affine(layer: Any, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias of a layer that is affine: what it makes of the unit vectors, and of zero."""
    bias = np.asarray(layer(np.zeros((1, size), "float32")))
    return np.asarray(layer(np.eye(size, dtype="float32"))) - bias, bias[0]


def graph(size: int, activation: str = "") -> Callable[[Any], tuple[list[Node], dict[str, np.ndarray]]]:
    """The ONNX operators: one product with its sum, and the activation."""

    def made(layer: Any) -> tuple[list[Node], dict[str, np.ndarray]]:
        kernel, bias = affine(layer, size)
        nodes = [node("Gemm", "x kernel bias", "sum" if activation else "y")]
        nodes += [node(activation, "sum")] if activation else []
        return nodes, {"kernel": kernel, "bias": bias}

    return made


def function(size: int) -> Callable[[Any], Callable[..., Any]]:
    """The same of TensorFlow tensors."""

    def made(layer: Any) -> Callable[..., Any]:
        import tensorflow as tf

        kernel, bias = affine(layer, size)
        return lambda x: tf.nn.bias_add(tf.matmul(x, kernel), bias)

    return made
