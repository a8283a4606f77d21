"""Convolution, batch normalisation and ReLU6, as in the networks of phones."""

from __future__ import annotations

import numpy as np

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._values import constant, flipped, nought, one_off, scaled, swapped, transposed

FAMILY = Family("convolution", "strided convolution, batch normalisation, ReLU6", {"image": "uniform(-1, 1)"})


@FAMILY.model
def make():
    import keras
    from keras import layers

    image = keras.Input((10, 10, 3), name="image")
    stem = layers.Conv2D(8, 3, strides=2, padding="same", name="stem")(image)
    norm = layers.BatchNormalization(name="norm")(stem)
    clipped = layers.ReLU(6.0, name="clipped")(layers.Rescaling(3.0, name="gain")(norm))
    mixed = layers.Conv2D(6, 3, padding="valid", name="mixed")(clipped)
    return keras.Model(image, layers.Dense(4, name="scores")(layers.Flatten(name="flat")(mixed)), name="convolution")


def _batch_statistics(outputs):
    from keras import ops

    mean, variance = ops.moments(outputs, axes=(0, 1, 2), keepdims=True)
    return (outputs - mean) / ops.sqrt(variance + 1e-3)


def _padded_before(image):
    from keras import ops

    return ops.pad(image, [[0, 0], [1, 0], [1, 0], [0, 0]])


FAMILY.onnx("one weight off by 1e-3 of its size", "mixed", lambda g: g.change("Conv", "mixed", 1, one_off(1e-3)))
FAMILY.onnx("two channels swapped", "stem", lambda g: g.change("Conv", "stem", 1, swapped(1, 0, 2)))
FAMILY.tflite("two channels swapped", "mixed", lambda f: f.change("CONV_2D", "mixed", 1, swapped(0)))
FAMILY.onnx("square kernel transposed", "mixed", lambda g: g.change("Conv", "mixed", 1, transposed(2, 3)))
FAMILY.tflite("square kernel transposed", "mixed", lambda f: f.change("CONV_2D", "mixed", 1, transposed(1, 2)))
FAMILY.onnx("kernel turned round", "stem", lambda g: g.change("Conv", "stem", 1, flipped(2)))
FAMILY.tflite("bias dropped", "mixed", lambda f: f.change("CONV_2D", "mixed", 2, nought))
FAMILY.rebuilt("wrong batch-norm epsilon", "norm", Changed(config={"epsilon": 1e-5}))
FAMILY.rebuilt("batch-norm by the statistics of the batch", "norm", Changed(after=_batch_statistics))
FAMILY.onnx("padding shifted by one", "stem", lambda g: g.attribute("Conv", "stem", pads=[1, 1, 0, 0]))
FAMILY.rebuilt(
    "padding shifted by one", "stem", Changed(config={"padding": "valid"}, before=_padded_before), ["tflite"]
)
FAMILY.onnx("relu6 become relu", "clipped", lambda g: g.change("Clip", "clipped", 2, constant(np.inf)))
FAMILY.tflite(
    "relu6 become relu", "clipped", lambda f: f.option("CONV_2D", "", 0, fusedActivationFunction=1)
)  # 3 is RELU6, 1 is RELU
FAMILY.onnx("flattened in another order", "flat", lambda g: g.skip("Transpose", "", 1))
FAMILY.onnx("scale off by 1e-4", "gain", lambda g: g.change("Mul", "gain", 1, scaled(1 + 1e-4)))
