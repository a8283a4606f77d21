"""One reduction."""

import numpy as np

from contract_cases._handmade import Handmade, node
from kexport_layers.permutation_pooling import PermutationPooling


def _pooled(op, function):
    def graph(layer):
        return [node(op, "x axis", keepdims=0)], {"axis": np.array([1])}

    def converted(layer):
        import tensorflow as tf

        return lambda x: getattr(tf, function)(x, axis=1)

    return graph, converted


CASES = [
    Handmade(
        "permutation_pooling by mean", PermutationPooling, {"x": (64, 32)}, 64,
        *_pooled("ReduceMean", "reduce_mean"),
    ),
    Handmade(
        "permutation_pooling by the largest", lambda: PermutationPooling("max"), {"x": (64, 32)}, 64,
        *_pooled("ReduceMax", "reduce_max"),
    ),
]  # fmt: skip
