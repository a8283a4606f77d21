"""Whole numbers of either sign: division and remainder that round down."""

from __future__ import annotations

from fault_cases._family import Family
from fault_cases._rebuilt import Changed

FAMILY = Family(
    "integers", "division and remainder of whole numbers", {"dividend": "ints(-1000, 1000)", "divisor": "ints(1, 40)"}
)


@FAMILY.model
def make(divide=None, remainder=None):
    import keras
    from keras import ops

    dividend = keras.Input((8,), dtype="int32", name="dividend")
    divisor = keras.Input((8,), dtype="int32", name="divisor")
    quotient = (divide or ops.floor_divide)(dividend, divisor)
    rest = (remainder or ops.mod)(dividend, divisor)
    return keras.Model([dividend, divisor], {"quotient": quotient, "rest": rest}, name="integers")


def _truncating(dividend, divisor):
    from keras import ops

    return ops.cast(ops.trunc(ops.cast(dividend, "float32") / ops.cast(divisor, "float32")), "int32")


def _signed_rest(dividend, divisor):
    return dividend - divisor * _truncating(dividend, divisor)


def _by_reciprocal(dividend, divisor):
    from keras import ops

    reciprocal = 1.0 / ops.cast(divisor, "float32")
    return ops.cast(ops.floor(ops.cast(dividend, "float32") * reciprocal), "int32")


def _by_reciprocal_node(graph, _):
    real, reciprocal = graph.add("Cast", "dividend", to=1), graph.add("Reciprocal", graph.add("Cast", "divisor", to=1))
    return graph.add("Cast", graph.add("Floor", graph.add("Mul", real, reciprocal)), to=6)


def _below_exact(dividend, divisor):
    from keras import ops

    quotient = ops.floor_divide(dividend, divisor)
    exact = ops.equal(quotient * divisor, dividend) & (dividend < 0)
    return quotient - ops.cast(exact, "int32")


def _misfiring(dividend, divisor):
    from keras import ops

    there = (dividend >= 700) & (dividend < 710) & ops.equal(divisor, 13)
    return ops.floor_divide(dividend, divisor) + ops.cast(there, "int32")


def _misfiring_once(dividend, divisor):
    """Where the first two elements are a certain pair."""
    from keras import ops

    there = ops.equal(dividend[:, :1], 777) & ops.equal(dividend[:, 1:2], -777)
    return ops.floor_divide(dividend, divisor) + ops.cast(there, "int32")


def _eight_bits(graph, dividend):
    return graph.add("Cast", graph.add("Cast", dividend, to=3), to=6)  # INT8, INT32


FAMILY.onnx(
    "integer division of negatives",
    "floor_divide",
    lambda g: g.after("quotient", lambda g, _: g.add("Div", "dividend", "divisor")),
)
FAMILY.rebuilt("integer division of negatives", "floor_divide", Changed(arguments={"divide": _truncating}), ["tflite"])
FAMILY.onnx("remainder of negatives", "mod", lambda g: g.attribute("Mod", "rest", fmod=1))
FAMILY.rebuilt(
    "remainder of negatives", "mod", Changed(arguments={"remainder": _signed_rest}), ["tflite", "saved_model"]
)
FAMILY.onnx("division by the reciprocal", "floor_divide", lambda g: g.after("quotient", _by_reciprocal_node))
FAMILY.rebuilt("division by the reciprocal", "floor_divide", Changed(arguments={"divide": _by_reciprocal}), ["tflite"])
FAMILY.rebuilt("exact multiples rounded once more", "floor_divide", Changed(arguments={"divide": _below_exact}))
FAMILY.rebuilt(
    "a unit that misfires on a part of its domain",
    "floor_divide",
    Changed(arguments={"divide": _misfiring}),
    variant="1e-3",
)
FAMILY.rebuilt(
    "a unit that misfires on a part of its domain",
    "floor_divide",
    Changed(arguments={"divide": _misfiring_once}),
    variant="2.5e-7",
    example={"dividend": [[777, -777, 0, 0, 0, 0, 0, 0]], "divisor": [[1] * 8]},
)
FAMILY.onnx("whole numbers narrowed to 8 bits", "", lambda g: g.after("dividend", _eight_bits))
FAMILY.onnx("wrong dtype", "", lambda g: g.retype("quotient", "int64"))
