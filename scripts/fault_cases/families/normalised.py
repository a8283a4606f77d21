"""Statistics over one axis of a square, where the other axis is as long."""

from __future__ import annotations

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._values import constant, nought, swapped, transposed

FAMILY = Family("normalised", "z-scores and unit vectors over one axis of a square", {"table": "uniform(-1, 1)"})


@FAMILY.model
def make(scores=None):
    import keras
    from keras import layers, ops

    def healthy(x):
        return (x - ops.mean(x, axis=2, keepdims=True)) / ops.sqrt(ops.var(x, axis=2, keepdims=True) + 1e-3)

    table = keras.Input((5, 5), name="table")
    made = (scores or healthy)(table)
    mixed = layers.EinsumDense("bij,jk->bik", output_shape=(5, 5), bias_axes="k", name="mixed")(made)
    units = layers.UnitNormalization(axis=1, name="units")(mixed)
    return keras.Model(table, {"scores": made, "units": units}, name="normalised")


def _outside(x):
    """The epsilon is added to the root."""
    from keras import ops

    return (x - ops.mean(x, axis=2, keepdims=True)) / (ops.sqrt(ops.var(x, axis=2, keepdims=True)) + 1e-3)


def _other_axis(x):
    from keras import ops

    return (x - ops.mean(x, axis=1, keepdims=True)) / ops.sqrt(ops.var(x, axis=2, keepdims=True) + 1e-3)


def _unbiased(graph, variance):
    return graph.add("Mul", variance, graph.constant(5 / 4, "float32"))


def _variance(graph):
    return graph.node("ReduceMean", "", 1).output[0]


FAMILY.onnx(
    "wrong axis of a reduction", "var", lambda g: g.change("ReduceMean", "", 1, constant(1), 1), variant="of variance"
)
FAMILY.rebuilt("wrong axis of a reduction", "mean", Changed(arguments={"scores": _other_axis}))
FAMILY.rebuilt("normalised over the wrong axis", "units", Changed(config={"axis": 2}))
FAMILY.onnx("variance of a sample", "var", lambda g: g.after(_variance(g), _unbiased))
FAMILY.onnx("wrong epsilon of a z-score", "add", lambda g: g.change("Add", "add", 1, constant(1e-5)))
FAMILY.rebuilt("wrong epsilon of a z-score", "true_divide", Changed(arguments={"scores": _outside}), ["tflite"])
FAMILY.onnx("dense kernel transposed", "mixed", lambda g: g.change("MatMul", "mixed", 1, transposed(0, 1)))
FAMILY.tflite("bias dropped", "mixed", lambda f: f.change("FULLY_CONNECTED", "mixed", 2, nought))
FAMILY.rebuilt("two channels swapped", "mixed", Changed(weights={"kernel": swapped(1)}), ["saved_model"])
