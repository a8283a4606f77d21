"""Functions that overflow, or have no value, on a part of their domain."""

from __future__ import annotations

from fault_cases._family import Family
from fault_cases._rebuilt import Changed

FAMILY = Family("exponentials", "softplus, SiLU, square root and logarithm", {"x": "uniform(-100, 100)"})


@FAMILY.model
def make(smooth=None, root=None, gated=None, logarithm=None):
    import keras
    from keras import ops

    x = keras.Input((6,), name="x")
    outputs = {
        "smooth": (smooth or ops.softplus)(x),
        "gated": (gated or ops.silu)(x),
        "root": (root or ops.sqrt)(x),
        "logarithm": (logarithm or ops.log1p)(x),
    }
    return keras.Model(x, outputs, name="exponentials")


def _naive_softplus(x):
    from keras import ops

    return ops.log(1.0 + ops.exp(x))


def _naive_silu(x):
    from keras import ops

    grown = ops.exp(x)
    return x * (grown / (1.0 + grown))


def _root_of_positive(x):
    from keras import ops

    return ops.sqrt(ops.maximum(x, 0.0))


def _root_of_size(x):
    from keras import ops

    return ops.sqrt(ops.abs(x))


def _logarithm_of_positive(x):
    from keras import ops

    return ops.log1p(ops.maximum(x, -0.999))


def _early_branch(x):
    from keras import ops

    return ops.where(x > 8.0, x, ops.softplus(x))


def _no_tail(x):
    from keras import ops

    return ops.where(x < -10.0, 0.0, ops.silu(x))


def _spread(graph, root):
    """One NaN makes a NaN of every element."""
    total = graph.add("ReduceSum", root, graph.constant([1], "int64"), keepdims=1)
    return graph.add("Add", root, graph.add("Mul", total, graph.constant(0.0, "float32")))


def _no_nan(graph, root):
    return graph.add("Where", graph.add("IsNaN", root), graph.constant(0.0, "float32"), root)


FAMILY.rebuilt("overflow only above 88", "softplus", Changed(arguments={"smooth": _naive_softplus}), variant="softplus")
FAMILY.rebuilt("overflow only above 88", "silu", Changed(arguments={"gated": _naive_silu}), variant="silu")
FAMILY.rebuilt("a NaN swallowed", "sqrt", Changed(arguments={"root": _root_of_positive}), variant="by a maximum")
FAMILY.rebuilt("a NaN swallowed", "sqrt", Changed(arguments={"root": _root_of_size}), ["saved_model"], variant="by abs")
FAMILY.rebuilt("a NaN swallowed", "log1p", Changed(arguments={"logarithm": _logarithm_of_positive}), variant="of log1p")
FAMILY.onnx("a NaN swallowed", "sqrt", lambda g: g.after("root", _no_nan), variant="made 0")
FAMILY.onnx("a NaN spreads", "sqrt", lambda g: g.after("root", _spread))
FAMILY.rebuilt("a branch begins too early", "softplus", Changed(arguments={"smooth": _early_branch}))
FAMILY.rebuilt("a tail cut off", "silu", Changed(arguments={"gated": _no_tail}))
