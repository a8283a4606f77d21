"""A unit with cases: what it gives depends on where its inputs lie."""

from __future__ import annotations

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._values import constant

FAMILY = Family(
    "piecewise",
    "a unit with cases, and rounding of halves",
    {"x": "uniform(-4, 4)", "halves": "choice(-2.5, -1.5, -0.5, 0.0, 0.25, 0.5, 1.5, 2.5)"},
)


@FAMILY.model
def make(unit=None, whole=None):
    import keras
    from keras import ops

    x, halves = keras.Input((2,), name="x"), keras.Input((2,), name="halves")

    def healthy(x):
        return ops.where(x < -1, -x - 2, ops.where(x > 1, 2 - x, x * x * x))

    shaped = unit(x, healthy) if unit else healthy(x)
    return keras.Model([x, halves], {"shaped": shaped, "rounded": (whole or ops.round)(halves)}, name="piecewise")


def _misfiring(low, high, by=0.5):
    """Something is added where an element lies between two numbers."""

    def unit(x, healthy):
        from keras import ops

        return healthy(x) + by * ops.cast((x > low) & (x < high), "float32")

    return unit


def _in_a_box(x, healthy):
    from keras import ops

    there = (x[:, :1] > 2) & (x[:, :1] < 2.1) & (x[:, 1:] > -3) & (x[:, 1:] < -2.84)
    return healthy(x) + ops.cast(there, "float32")


def _in_the_corner(x, healthy):
    from keras import ops

    there = (x[:, :1] > 3.99) & (x[:, 1:] < -3.99)
    return healthy(x) + ops.cast(there, "float32")


def _away_from_zero(x):
    from keras import ops

    return ops.sign(x) * ops.floor(ops.abs(x) + 0.5)


def _up(x):
    from keras import ops

    return ops.floor(x + 0.5)


def _sign_lost(x, healthy):
    from keras import ops

    return ops.where((x < 0) & (x > -1), ops.abs(x * x * x), healthy(x))


def _unit(function):
    return Changed(arguments={"unit": function})


MISFIRES = "a unit that misfires on a part of its domain"
FAMILY.rebuilt(MISFIRES, "where_1", _unit(_misfiring(1.3, 1.3008)), variant="2e-4")  # 1e-4 of each of two elements
FAMILY.rebuilt(MISFIRES, "where_1", _unit(_in_a_box), variant="2.5e-4 of two")
FAMILY.rebuilt(MISFIRES, "where_1", _unit(_misfiring(-2.5, -2.4998)), variant="5e-5")
FAMILY.rebuilt(
    MISFIRES,
    "where_1",
    _unit(_misfiring(0.7, 0.700008)),
    variant="2e-6",
    example={"x": [[0.700004, 0.0]], "halves": [[0.0, 0.0]]},
)
FAMILY.rebuilt(MISFIRES, "where_1", _unit(_in_the_corner), variant="in a corner")
FAMILY.rebuilt(MISFIRES, "where_1", _unit(_misfiring(2, 2.1, 1e-5)), variant="by 1e-5")
FAMILY.rebuilt("wrong rounding of halves", "round", Changed(arguments={"whole": _away_from_zero}))
FAMILY.rebuilt("wrong rounding of halves", "round", Changed(arguments={"whole": _up}), variant="up")
FAMILY.onnx("a threshold off by 1e-2", "greater", lambda g: g.change("Greater", "greater", 1, constant(1.01)))
FAMILY.tflite("a threshold off by 1e-2", "less", lambda f: f.change("LESS", "less", 1, constant(-0.99)))
FAMILY.rebuilt("a sign lost", "where_1", _unit(_sign_lost))
FAMILY.onnx("a rounding left out", "round", lambda g: g.skip("Round", "round"))
