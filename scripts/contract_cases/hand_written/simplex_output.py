"""A softmax, and a product with the total where that is not 1."""

import numpy as np

from contract_cases._handmade import Handmade, node
from kexport_layers.simplex_output import SimplexOutput


def _softmax(layer):
    import tensorflow as tf

    return tf.nn.softmax


def _scaled(layer):
    import tensorflow as tf

    return lambda x: tf.nn.softmax(x) * 2.5


CASES = [
    Handmade("simplex_output", SimplexOutput, {"x": (128,)}, 128, lambda layer: ([node("Softmax", "x")], {}), _softmax),
    Handmade(
        "simplex_output of another total", lambda: SimplexOutput(2.5), {"x": (128,)}, 128,
        lambda layer: ([node("Softmax", "x", "shares"), node("Mul", "shares total")], {"total": np.float32(2.5)}),
        _scaled,
    ),
]  # fmt: skip
