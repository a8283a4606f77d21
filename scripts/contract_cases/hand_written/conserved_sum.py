"""The mean of the difference is added."""

import numpy as np

from contract_cases._handmade import Handmade, node
from kexport_layers.conserved_sum import ConservedSum


def _graph(layer):
    nodes = [
        node("Sub", "reference x", "lack"),
        node("ReduceMean", "lack axis", "share", keepdims=1),
        node("Add", "x share"),
    ]
    return nodes, {"axis": np.array([-1])}


def _function(layer):
    import tensorflow as tf

    return lambda x, reference: x + tf.reduce_mean(reference - x, axis=-1, keepdims=True)


CASES = [Handmade("conserved_sum", ConservedSum, {"x": (256,), "reference": (256,)}, 256, _graph, _function)]
