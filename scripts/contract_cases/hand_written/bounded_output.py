"""A squashing function, stretched and moved, and a clip for what rounding adds."""

import numpy as np

from contract_cases._handmade import Handmade, node
from kexport_layers.bounded_output import BoundedOutput

_LOW, _HIGH = -1.0, 3.0


def _squashed(op, centre, half, function):
    def graph(layer):
        nodes = [
            node(op, "x", "squashed"),
            node("Mul", "squashed half", "stretched"),
            node("Add", "stretched centre", "moved"),
            node("Clip", "moved low high"),
        ]
        constants = {"half": half, "centre": centre, "low": _LOW, "high": _HIGH}
        return nodes, {name: np.float32(value) for name, value in constants.items()}

    def converted(layer):
        import tensorflow as tf

        return lambda x: tf.clip_by_value(getattr(tf, function)(x) * half + centre, _LOW, _HIGH)

    return graph, converted


CASES = [
    Handmade(
        "bounded_output by sigmoid", lambda: BoundedOutput(_LOW, _HIGH, "sigmoid"), {"x": (256,)}, 64,
        *_squashed("Sigmoid", _LOW, _HIGH - _LOW, "sigmoid"),
    ),
    Handmade(
        "bounded_output by tanh", lambda: BoundedOutput(_LOW, _HIGH, "tanh"), {"x": (256,)}, 64,
        *_squashed("Tanh", (_HIGH + _LOW) / 2, (_HIGH - _LOW) / 2, "tanh"),
    ),
]  # fmt: skip
