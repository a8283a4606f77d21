"""An output that is promised to stay between two bounds, which few inputs reach."""

from __future__ import annotations

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._state import leaking
from fault_cases._values import nought, one_off, scaled

FAMILY = Family("bounded", "a command that is clipped", {"state": "uniform(-3, 3)"})


@FAMILY.model
def make(clip=None):
    import keras
    from keras import layers, ops

    state = keras.Input((6,), name="state")
    hidden = layers.Dense(12, activation="tanh", name="hidden")(state)
    wanted = layers.Dense(3, name="wanted")(hidden)
    clipped = (clip or (lambda x: ops.clip(x, -1.25, 1.25)))(wanted)
    return keras.Model(state, {"command": clipped}, name="bounded")


def _unclipped(graph):
    graph.skip("Clip", "clip")


def _half_clipped(graph):
    graph.node("Clip", "clip").input[1] = ""  # an operand that is not there is no bound


def _unclipped_file(file):
    for kind in ("MINIMUM", "MAXIMUM"):
        file.skip(kind, "")


def _misfiring(x):
    from keras import ops

    there = (x[:, :1] > 0.5) & (x[:, :1] < 0.51) & (x[:, 1:2] > 0.1)
    return ops.clip(x, -1.25, 1.25) + 0.01 * ops.cast(there, "float32")


FAMILY.onnx("a clip removed", "clip", _unclipped)
FAMILY.tflite("a clip removed", "clip", _unclipped_file)
FAMILY.onnx("a clip removed", "clip", _half_clipped, variant="at the lower end")
FAMILY.onnx("a bound off by 1e-3", "clip", lambda g: g.change("Clip", "clip", 2, scaled(1 + 1e-3)))
FAMILY.tflite("a bound off by 1e-3", "clip", lambda f: f.change("MAXIMUM", "", 1, scaled(1 - 1e-3)))
FAMILY.rebuilt("a unit that misfires on a part of its domain", "clip", Changed(arguments={"clip": _misfiring}))
FAMILY.onnx("one weight off by 1e-3 of its size", "hidden", lambda g: g.change("MatMul", "hidden", 1, one_off(1e-3)))
FAMILY.tflite("bias dropped", "wanted", lambda f: f.change("FULLY_CONNECTED", "wanted", 2, nought))
FAMILY.rebuilt("a clip removed", "clip", Changed(arguments={"clip": lambda x: x * 1.0}), ["saved_model"])
FAMILY.rebuilt("state leaking between calls", "wanted", Changed(after=leaking, state=0.0), ["tflite", "saved_model"])
