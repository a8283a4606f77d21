"""A classifier: dense layers with ReLU, and softmax."""

from __future__ import annotations

import numpy as np

from fault_cases._values import nought, swapped
from precision_fault_cases._family import Family
from precision_fault_cases._integer_onnx import INTEGERS, SCALE, ZERO_POINT
from precision_fault_cases._integer_tflite import RESULT
from precision_fault_cases._numbers import (
    flushed,
    four_bits,
    last_axis_wrapped,
    nulled,
    one_channel,
    overflowed,
    permuted,
    shifted_row,
    the_largest,
    times,
    unsigned,
)

FAMILY = Family("dense", "classifier of dense layers with softmax", {"features": "uniform(-2, 2)"})
_FULL, _HIDDEN = "FULLY_CONNECTED", "hidden"


@FAMILY.model
def make():
    import keras
    from keras import layers

    features = keras.Input((16,), name="features")
    hidden = layers.Dense(80, activation="relu", name="hidden")(features)
    middle = layers.Dense(16, activation="relu", name="middle")(hidden)
    square = layers.Dense(16, activation="tanh", name="square")(middle)
    outputs = layers.Dense(6, activation="softmax", name="probabilities")(layers.Rescaling(4.0, name="gain")(square))
    return keras.Model(features, outputs, name="dense")


def _scales_swapped(file):
    one, other = file.tensor(_FULL, "hidden", RESULT), file.tensor(_FULL, "middle", RESULT)
    one.quantization, other.quantization = other.quantization, one.quantization


def _scales_swapped_in_onnx(graph):
    pairs = graph.taking("Relu", "hidden") if graph.nodes("Relu") else graph.around(_result(graph, "hidden"))
    others = graph.around(_result(graph, "middle"))
    scales = [graph.value(pair[0].input[SCALE]) for pair in (pairs, others)]
    graph.set_both(pairs, SCALE, lambda _: scales[1])
    graph.set_both(others, SCALE, lambda _: scales[0])


def _result(graph, layer):
    """The last tensor of a layer that is quantised."""
    return [
        node.input[0] for node in graph.nodes("QuantizeLinear") if f"/{layer}_1/" in node.input[0]
    ][-1]  # fmt: skip


def _clipped(share):
    return lambda graph: graph.set_both(graph.around(_result(graph, _HIDDEN)), SCALE, times(share))


def _unclamped(graph):
    """A range on both sides of 0, as if there were no ReLU in the operator before."""
    nodes = graph.around(_result(graph, _HIDDEN))
    graph.set_both(nodes, SCALE, times(2))
    graph.set_both(nodes, ZERO_POINT, nought)


def _unclamped_in_tflite(file):
    file.recalibrate(_FULL, _HIDDEN, 2.0, zero_point=0)
    file.option(_FULL, _HIDDEN, fusedActivationFunction=0)


def _wrapped_softmax(graph):
    nodes = graph.around("probabilities_QuantizeLinear_Input")
    graph.set_both(nodes, SCALE, lambda _: np.float32(1 / 256))
    graph.set_both(nodes, ZERO_POINT, nought)
    graph.wrap(nodes)


def _one_wrong_zero_point(graph):
    _, back = graph.around(_result(graph, _HIDDEN))
    graph.set(back, ZERO_POINT, lambda zero: zero + 12)


def _one_wrong_scale(graph):
    _, back = graph.around(_result(graph, "middle"))
    graph.set(back, SCALE, times(1.25))


def _unsigned_zero_point(graph):
    node, _ = graph.around(_result(graph, _HIDDEN))
    graph.set(node, ZERO_POINT, lambda zero: zero.astype(np.int16) + 128, "uint8")


def _input_scale_doubled(graph):
    _, back = graph.around("features")
    graph.set(back, SCALE, times(2))


for _artifact in ("int8.tflite", "int16x8.tflite"):
    FAMILY.plant("bias lost", _artifact, lambda f: f.change(_FULL, "hidden", 2, nought))
    FAMILY.plant("a channel is zero", _artifact, lambda f: f.change(_FULL, "square", 1, one_channel(3, 0)))
    FAMILY.plant(
        "scales of channels permuted", _artifact, lambda f: f.rescale(_FULL, "middle", 1, permuted), variant="weights"
    )
    FAMILY.plant(
        "weights wrapped around instead of saturated",
        _artifact,
        lambda f: f.change(_FULL, "middle", 1, last_axis_wrapped),
    )
    FAMILY.plant(
        "scales of channels replaced by the largest", _artifact, lambda f: f.rescale(_FULL, "hidden", 1, the_largest)
    )
FAMILY.plant("range clipped to a part", "int8.tflite", lambda f: f.recalibrate(_FULL, _HIDDEN, 0.2))
FAMILY.plant("range clipped to a part", "int16x8.tflite", lambda f: f.recalibrate(_FULL, _HIDDEN, 0.2))
FAMILY.plant("range clipped to a part", "int8.onnx", _clipped(0.2))
FAMILY.plant("range many times too wide", "int8.tflite", lambda f: f.recalibrate(_FULL, _HIDDEN, 24.0))
FAMILY.plant("range many times too wide", "int8.onnx", _clipped(24.0))
FAMILY.plant("scales of two tensors swapped", "int8.tflite", _scales_swapped)
FAMILY.plant("scales of two tensors swapped", "int8.onnx", _scales_swapped_in_onnx)
FAMILY.plant("softmax of another scale", "int8.tflite", lambda f: f.rescale("SOFTMAX", "", RESULT, times(2)))
FAMILY.plant("softmax wraps around at 1", "int8.onnx", _wrapped_softmax)
FAMILY.plant(
    "a float operator in a file of integers", "int8.tflite", lambda f: f.in_float("SOFTMAX", ""), converted=False
)
FAMILY.plant("weights on the wrong axis", "int8.tflite", lambda f: f.axis(_FULL, "square", 1, 1))
FAMILY.plant("weights on the wrong axis", "int8.onnx", lambda g: _other_axis(g, g.weights("MatMul", "square")))
FAMILY.plant("a row of weights shifted", "int8.tflite", lambda f: f.change(_FULL, "square", 1, shifted_row(5)))
FAMILY.plant(
    "a row of weights shifted", "int8.onnx", lambda g: g.set(g.weights("MatMul", "square"), INTEGERS, shifted_row(5))
)
FAMILY.plant("weights read as unsigned", "int8.tflite", lambda f: f.change(_FULL, "square", 1, unsigned))
FAMILY.plant("weights of four bits", "int8.tflite", lambda f: f.change(_FULL, "square", 1, four_bits))
FAMILY.plant("clamp of a ReLU removed", "int8.tflite", _unclamped_in_tflite)
FAMILY.plant("clamp of a ReLU removed", "int8.onnx", _unclamped)
FAMILY.plant("clamp of a ReLU removed", "int16x8.tflite", lambda f: f.option(_FULL, _HIDDEN, fusedActivationFunction=0))
FAMILY.plant("zero point of one side only", "int8.onnx", _one_wrong_zero_point)
FAMILY.plant("scale of one side only", "int8.onnx", _one_wrong_scale)
FAMILY.plant("zero point of another dtype", "int8.onnx", _unsigned_zero_point)
FAMILY.plant("scale of the input doubled on one side", "int8.onnx", _input_scale_doubled)
FAMILY.plant(
    "scales of channels permuted", "int8.onnx", lambda g: g.set(g.weights("MatMul", "middle"), SCALE, permuted)
)
FAMILY.plant("a channel is zero", "int8.onnx", lambda g: g.set(g.weights("MatMul", "square"), INTEGERS, nulled(1, 3)))
FAMILY.plant("activations cut to 8 bits", "int16x8.tflite", lambda f: f.recalibrate(_FULL, "square", 256.0))
FAMILY.plant("a file that no runtime loads", "int8.tflite", lambda f: f.version(_FULL, 99))
FAMILY.plant("weights overflowed to infinity", "float16.tflite", lambda f: f.change_half(overflowed))
FAMILY.plant("weights overflowed to infinity", "float16.onnx", lambda g: g.change_all(overflowed))
FAMILY.plant("small weights flushed to zero", "float16.tflite", lambda f: f.change_half(flushed))
FAMILY.plant("small weights flushed to zero", "float16.onnx", lambda g: g.change_all(flushed))
FAMILY.plant("two channels swapped", "float16.onnx", lambda g: g.overwrite("MatMul", "square", 1, swapped(1, 2, 9)))
FAMILY.plant("scales of channels permuted", "dynamic.tflite", lambda f: f.rescale(_FULL, "hidden", 1, permuted))
FAMILY.plant(
    "scales of channels permuted", "dynamic.onnx", lambda g: g.overwrite("Mul", "hidden", 1, permuted, which=0)
)
FAMILY.plant("scale of a channel wrong", "dynamic.tflite", lambda f: f.rescale(_FULL, "middle", 1, one_channel(2, 8.0)))
FAMILY.plant("bias lost", "dynamic.tflite", lambda f: f.change(_FULL, "hidden", 2, nought))
FAMILY.plant("bias lost", "dynamic.onnx", lambda g: g.overwrite("Add", "hidden", 1, nought))
FAMILY.plant("bias lost", "int8.onnx", lambda g: g.set(_bias(g), INTEGERS, nought))


def _bias(graph):
    return graph.weights("Add", "hidden")


def _other_axis(graph, node):
    from onnx import helper

    del node.attribute[:]
    node.attribute.append(helper.make_attribute("axis", 0))
