"""Two inputs and three outputs, of which two are alike in shape."""

from __future__ import annotations

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._values import earlier, halves, nought, one_negated, swapped

FAMILY = Family(
    "several", "two inputs, three outputs, a label among them", {"left": "uniform(-1, 1)", "right": "uniform(-1, 1)"}
)


@FAMILY.model
def make():
    import keras
    from keras import layers, ops

    left, right = keras.Input((8,), name="left"), keras.Input((8,), name="right")
    joined = layers.Concatenate(name="joined")([left, right])
    hidden = layers.Dense(12, activation="tanh", name="hidden")(joined)
    mean = layers.Dense(5, name="mean")(hidden)
    spread = layers.Dense(5, activation="sigmoid", name="spread")(hidden)
    outputs = {"mean": mean, "spread": spread, "label": ops.argmax(mean, axis=-1)}
    return keras.Model([left, right], outputs, name="several")


def _exchange(graph):
    node = graph.node("Concat", "joined")
    node.input[0], node.input[1] = node.input[1], node.input[0]


def _rational(x):
    """A rational function near to tanh."""
    from keras import ops

    square = x * x
    return ops.clip(x * (27.0 + square) / (27.0 + 9.0 * square), -1.0, 1.0)


def _two_digits(graph, scores):
    hundred = graph.constant(100.0, "float32")
    return graph.add("Round", graph.add("Mul", scores, hundred))


FAMILY.onnx("outputs swapped", "", lambda g: g.swap_results("mean", "spread"))
FAMILY.tflite("outputs swapped", "", lambda f: f.swap_results("mean", "spread"))
FAMILY.onnx("inputs swapped", "joined", _exchange)
FAMILY.tflite("inputs swapped", "joined", lambda f: f.swap_operands("CONCATENATION", "joined"))
FAMILY.onnx("wrong dtype", "", lambda g: g.retype("label", "int64"), variant="of a label")
FAMILY.onnx("wrong dtype", "", lambda g: g.retype("spread", "float64"), variant="of a real output")
FAMILY.onnx("label from rounded scores", "argmax", lambda g: g.before("ArgMax", "argmax", 0, _two_digits))
FAMILY.tflite("two channels swapped", "mean", lambda f: f.change("FULLY_CONNECTED", "mean", 2, swapped(0)))
FAMILY.rebuilt("an activation approximated", "hidden", Changed(config={"activation": _rational}))
FAMILY.rebuilt("hard sigmoid for sigmoid", "spread", Changed(config={"activation": "hard_sigmoid"}), ["onnx"])
FAMILY.tflite("bias dropped", "spread", lambda f: f.change("FULLY_CONNECTED", "spread", 2, nought))
FAMILY.rebuilt("stale artifact of the previous build", "hidden", Changed(weights={"kernel": earlier}), ["keras"])
FAMILY.rebuilt(
    "weights rounded to fewer bits", "hidden", Changed(weights={"kernel": halves}), ["saved_model"], variant="float16"
)
FAMILY.tflite("one weight has the other sign", "mean", lambda f: f.change("FULLY_CONNECTED", "mean", 1, one_negated()))
