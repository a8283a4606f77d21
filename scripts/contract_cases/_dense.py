"""Dense layers as what is left of them in an artifact: a product with a constant kernel, a sum, an activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from contract_cases._handmade import Node, node


def _weights(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(layer.kernel), np.asarray(layer.bias)


def graph(activation: str = "") -> Callable[[Any], tuple[list[Node], dict[str, np.ndarray]]]:
    """The ONNX operators."""

    def made(layer: Any) -> tuple[list[Node], dict[str, np.ndarray]]:
        kernel, bias = _weights(layer)
        nodes = [node("Gemm", "x kernel bias", "sum" if activation else "y")]
        nodes += [node(activation, "sum")] if activation else []
        return nodes, {"kernel": kernel, "bias": bias}

    return made


def function(activation: str = "identity") -> Callable[[Any], Callable[..., Any]]:
    """The same of TensorFlow tensors."""

    def made(layer: Any) -> Callable[..., Any]:
        import tensorflow as tf

        kernel, bias = _weights(layer)
        follow = tf.identity if activation == "identity" else getattr(tf.nn, activation)
        return lambda x: follow(tf.nn.bias_add(tf.matmul(x, kernel), bias))

    return made
