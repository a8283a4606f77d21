"""A classifier: dense layers, and softmax over rows of a square of scores."""

from __future__ import annotations

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._values import earlier, halves, nought, one_negated, one_off, scaled, swapped, transposed, truncated

FAMILY = Family("dense", "classifier of dense layers, softmax over rows of a square", {"features": "uniform(-1, 1)"})


@FAMILY.model
def make():
    import keras
    from keras import layers

    features = keras.Input((16,), name="features")
    hidden = layers.Dense(16, activation="relu", name="hidden")(features)
    scores = layers.Dense(36, name="scores")(hidden)
    square = layers.Reshape((6, 6), name="square")(scores)
    return keras.Model(features, layers.Softmax(name="probabilities")(square), name="dense")


def _first_only(outputs):
    from keras import ops

    return ops.broadcast_to(outputs[:1], ops.shape(outputs))


FAMILY.onnx("one weight off by 1e-3 of its size", "hidden", lambda g: g.change("MatMul", "hidden", 1, one_off(1e-3)))
FAMILY.tflite(
    "one weight off by 1e-3 of its size", "scores", lambda f: f.change("FULLY_CONNECTED", "scores", 1, one_off(1e-3))
)
FAMILY.onnx("one weight has the other sign", "scores", lambda g: g.change("MatMul", "scores", 1, one_negated()))
FAMILY.onnx("two channels swapped", "scores", lambda g: g.change("MatMul", "scores", 1, swapped(1, 3, 20)))
FAMILY.tflite("two channels swapped", "hidden", lambda f: f.change("FULLY_CONNECTED", "hidden", 1, swapped(0, 2, 9)))
FAMILY.onnx("dense kernel transposed", "hidden", lambda g: g.change("MatMul", "hidden", 1, transposed(0, 1)))
FAMILY.tflite("dense kernel transposed", "hidden", lambda f: f.change("FULLY_CONNECTED", "hidden", 1, transposed(0, 1)))
FAMILY.onnx("bias dropped", "scores", lambda g: g.change("Add", "scores", 1, nought))
FAMILY.tflite("bias dropped", "hidden", lambda f: f.change("FULLY_CONNECTED", "hidden", 2, nought))
FAMILY.onnx("softmax over the wrong axis", "probabilities", lambda g: g.attribute("Softmax", "", axis=1))
FAMILY.rebuilt("softmax over the wrong axis", "probabilities", Changed(config={"axis": 1}), ["tflite", "saved_model"])
FAMILY.onnx("scale off by 1e-4", "scores", lambda g: g.change("MatMul", "scores", 1, scaled(1 + 1e-4)))
FAMILY.tflite("scale off by 1e-4", "hidden", lambda f: f.change("FULLY_CONNECTED", "hidden", 1, scaled(1 + 1e-4)))
FAMILY.onnx("weights rounded to fewer bits", "hidden", lambda g: g.change_all(halves), variant="float16")
FAMILY.tflite("weights rounded to fewer bits", "hidden", lambda f: f.change_all(truncated), variant="bfloat16")
FAMILY.onnx("stale artifact of the previous build", "hidden", lambda g: g.change_all(earlier))
FAMILY.tflite("stale artifact of the previous build", "hidden", lambda f: f.change_all(earlier))
FAMILY.onnx(
    "stale artifact of the previous build", "hidden", lambda g: g.change_all(earlier), variant="and its digest",
    known_digest=False,
)  # fmt: skip
FAMILY.onnx(
    "only the first sample of a batch computed",
    "hidden",
    lambda g: g.after(
        g.node("Relu", "hidden").output[0],
        lambda g, x: g.add("Expand", g.add("Gather", x, g.constant([0], "int64")), g.add("Shape", x)),
    ),
)
FAMILY.rebuilt("only the first sample of a batch computed", "hidden", Changed(after=_first_only), ["tflite"])
