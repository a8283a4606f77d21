"""A score that is promised never to fall as a feature grows."""

from __future__ import annotations

from precision_fault_cases._family import Family
from precision_fault_cases._integer_onnx import INTEGERS, SCALE
from precision_fault_cases._integer_tflite import RESULT
from precision_fault_cases._numbers import flushed, negated, permuted, times, unsigned

FAMILY = Family("monotone", "score that never falls as a feature grows", {"risks": "uniform(0, 1)"})
_FULL = "FULLY_CONNECTED"


@FAMILY.model
def make():
    import keras

    from kexport_layers import MonotonicDense

    risks = keras.Input((4,), name="risks")
    hidden = MonotonicDense(8, direction=1, activation="sigmoid", name="hidden")(risks)
    return keras.Model(risks, MonotonicDense(1, direction=1, name="score")(hidden), name="monotone")


def _wrapping(graph):
    nodes = graph.around("score_QuantizeLinear_Input")
    graph.set_both(nodes, SCALE, times(0.7))
    graph.wrap(nodes)


for _artifact in ("int8.tflite", "int16x8.tflite"):
    FAMILY.plant("one weight has the other sign", _artifact, lambda f: f.change(_FULL, "score", 1, negated))
    FAMILY.plant("range clipped to a part", _artifact, lambda f: f.recalibrate(_FULL, "hidden", 0.2))
FAMILY.plant(
    "range clipped to a part", "int8.tflite", lambda f: f.rescale(_FULL, "score", RESULT, times(0.5)), variant="output"
)
FAMILY.plant("weights read as unsigned", "int8.tflite", lambda f: f.change(_FULL, "score", 1, unsigned))
FAMILY.plant(
    "one weight has the other sign", "int8.onnx", lambda g: g.set(g.weights("MatMul", "score"), INTEGERS, negated)
)
FAMILY.plant("integers wrap around", "int8.onnx", _wrapping)
FAMILY.plant(
    "scales of channels permuted", "int8.onnx", lambda g: g.set(g.weights("MatMul", "hidden"), SCALE, permuted)
)
FAMILY.plant(
    "one weight has the other sign", "dynamic.onnx", lambda g: g.overwrite("MatMulInteger", "score", 1, negated)
)
FAMILY.plant("one weight has the other sign", "float16.onnx", lambda g: g.overwrite("MatMul", "score", 1, negated))
FAMILY.plant("small weights flushed to zero", "float16.tflite", lambda f: f.change_half(flushed))
