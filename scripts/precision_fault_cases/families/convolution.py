"""Convolutions with ReLU6, in files that take and return integers."""

from __future__ import annotations

import numpy as np

from fault_cases._values import nought
from precision_fault_cases._family import Family
from precision_fault_cases._integer_onnx import INTEGERS, SCALE
from precision_fault_cases._integer_tflite import RESULT
from precision_fault_cases._numbers import (
    flushed,
    one_channel,
    overflowed,
    overflowing,
    permuted,
    shifted_row,
    times,
)

FAMILY = Family("convolution", "convolutions with ReLU6, integers at its ends", {"image": "uniform(-6, 6)"}, io="int")


@FAMILY.model
def make():
    import keras
    from keras import layers

    image = keras.Input((10, 10, 3), name="image")
    stem = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu6", name="stem")(image)
    depth = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depth")(stem)
    mixed = layers.Conv2D(6, 3, name="mixed")(depth)
    return keras.Model(image, layers.Dense(4, name="scores")(layers.Flatten(name="flat")(mixed)), name="convolution")


def _relu6_removed(file):
    file.recalibrate("CONV_2D", "stem", 2.0)
    file.option("CONV_2D", "stem", fusedActivationFunction=1)


def _border_of_zeros(graph):
    """The border is 0 before the zero point is subtracted, not after."""
    conv = graph.node("Conv", "mixed")
    (back,) = (node for node in graph.graph.node if conv.input[0] in node.output)
    zero = graph.value(back.input[2])
    trim = graph.add("Slice", back.input[0], *(graph.constant(each, "int64") for each in ([1, 1], [9, 9], [2, 3])))
    back.input[0] = graph.add(
        "Pad", trim, graph.constant([0, 0, 1, 1, 0, 0, 0, 0], "int64"), graph.constant(0, zero.dtype)
    )


for _artifact in ("int8.tflite", "int16x8.tflite"):
    FAMILY.plant("an accumulator that overflows", _artifact, lambda f: f.change("CONV_2D", "mixed", 2, overflowing))
    FAMILY.plant("bias lost", _artifact, lambda f: f.change("CONV_2D", "mixed", 2, nought))
FAMILY.plant("clamp of a ReLU6 removed", "int8.tflite", _relu6_removed)
FAMILY.plant("scale of the output is not the manifest's", "int8.tflite", lambda f: _output(f, 2.0))
FAMILY.plant("scale of the output is not the manifest's", "int16x8.tflite", lambda f: _output(f, 2.0))
FAMILY.plant("scale of the input is not the manifest's", "int8.tflite", lambda f: _input(f, 2.0))
FAMILY.plant("scale of the input is not the manifest's", "int8.onnx", lambda g: _metadata(g, "image", 2.0))
FAMILY.plant(
    "zero point of the output is not the manifest's",
    "int8.tflite",
    lambda f: f.shift("FULLY_CONNECTED", "", RESULT, 20),
)
FAMILY.plant(
    "scales of channels permuted", "int8.tflite", lambda f: f.rescale("DEPTHWISE_CONV_2D", "depth", 1, permuted),
    variant="depthwise",
)  # fmt: skip
FAMILY.plant("weights on the wrong axis", "int8.tflite", lambda f: f.axis("DEPTHWISE_CONV_2D", "depth", 1, 0))
FAMILY.plant("a channel is zero", "int8.tflite", lambda f: f.change("CONV_2D", "mixed", 1, one_channel(2, 0)))
FAMILY.plant("a row of weights shifted", "int8.tflite", lambda f: f.change("CONV_2D", "stem", 1, shifted_row(1)))
FAMILY.plant("range clipped to a part", "int8.tflite", lambda f: f.recalibrate("CONV_2D", "mixed", 0.25))
FAMILY.plant("border of zeros instead of zero points", "int8.onnx", _border_of_zeros)
FAMILY.plant("scales of channels permuted", "int8.onnx", lambda g: g.set(g.weights("Conv", "mixed"), SCALE, permuted))
FAMILY.plant("a channel is zero", "int8.onnx", lambda g: g.set(g.weights("Conv", "mixed"), INTEGERS, one_channel(2, 0)))
FAMILY.plant("weights overflowed to infinity", "float16.tflite", lambda f: f.change_half(overflowed))
FAMILY.plant("small weights flushed to zero", "float16.onnx", lambda g: g.change_all(flushed))


def _output(file, factor):
    file.rescale("FULLY_CONNECTED", "", RESULT, times(factor))


def _input(file, factor):
    graph = file.model.subgraphs[0]
    own = graph.tensors[int(graph.inputs[0])].quantization
    own.scale = np.asarray(own.scale, np.float32) * np.float32(factor)


def _metadata(graph, name, factor):
    """What the file says of its own integers."""
    import json

    (entry,) = (entry for entry in graph.model.metadata_props if "quantization" in entry.key)
    stated = json.loads(entry.value)
    stated[name]["scale"] *= factor
    entry.value = json.dumps(stated)
