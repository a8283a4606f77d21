"""Depthwise convolution with a square kernel, and pooling that reaches over the border."""

from __future__ import annotations

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._values import nought, one_off, swapped, transposed

FAMILY = Family("pooling", "depthwise convolution, leaky ReLU, pooling over the border", {"image": "uniform(-2, 2)"})


@FAMILY.model
def make():
    import keras
    from keras import layers

    image = keras.Input((9, 9, 4), name="image")
    depthwise = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(image)
    leaky = layers.LeakyReLU(negative_slope=0.1, name="leaky")(depthwise)
    averaged = layers.AveragePooling2D(3, strides=2, padding="same", name="averaged")(leaky)
    largest = layers.MaxPooling2D(2, padding="same", name="largest")(averaged)
    enlarged = layers.UpSampling2D(2, name="enlarged")(largest)
    return keras.Model(image, layers.Conv2D(2, 1, name="mixed")(enlarged), name="pooling")


def _padded(image):
    from keras import ops

    return ops.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]])


def _padded_after(image):
    from keras import ops

    return ops.pad(image, [[0, 0], [0, 1], [0, 1], [0, 0]])


FAMILY.onnx("square kernel transposed", "depthwise", lambda g: g.change("Conv", "", 1, transposed(2, 3), 0))
FAMILY.tflite(
    "square kernel transposed", "depthwise", lambda f: f.change("DEPTHWISE_CONV_2D", "depthwise", 1, transposed(1, 2))
)
FAMILY.onnx("two channels swapped", "depthwise", lambda g: g.change("Conv", "", 1, swapped(0), 0))
FAMILY.onnx("padding counted in the average", "averaged", lambda g: g.attribute("AveragePool", "", count_include_pad=1))
FAMILY.rebuilt(
    "padding counted in the average", "averaged", Changed(config={"padding": "valid"}, before=_padded), ["tflite"]
)
FAMILY.rebuilt(
    "padding takes part in the maximum", "largest", Changed(config={"padding": "valid"}, before=_padded_after)
)
FAMILY.onnx("padding shifted by one", "largest", lambda g: g.attribute("MaxPool", "", pads=[1, 1, 0, 0]))
FAMILY.onnx("wrong slope of a leaky relu", "leaky", lambda g: g.attribute("LeakyRelu", "", alpha=0.1001))
FAMILY.tflite("wrong slope of a leaky relu", "leaky", lambda f: f.option("LEAKY_RELU", "leaky", alpha=0.01))
FAMILY.rebuilt("wrong interpolation", "enlarged", Changed(config={"interpolation": "bilinear"}), ["tflite"])
FAMILY.tflite("one weight off by 1e-3 of its size", "mixed", lambda f: f.change("CONV_2D", "mixed", 1, one_off(1e-3)))
FAMILY.rebuilt("bias dropped", "depthwise", Changed(weights={"bias": nought}), ["saved_model"])
