"""A residual network of depthwise convolutions, on which there is no time for many evaluations."""

from __future__ import annotations

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._values import one_off, scaled, swapped, transposed

FAMILY = Family("network", "residual network of depthwise convolutions, 64 x 64", {"image": "uniform(-1, 1)"})


def _block(x, name):
    from keras import layers

    wide = layers.DepthwiseConv2D(3, padding="same", depthwise_initializer="he_normal", name=f"{name}_depthwise")(x)
    wide = layers.ReLU(6.0, name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_norm")(wide))
    narrow = layers.Conv2D(32, 1, kernel_initializer="he_normal", name=f"{name}_project")(wide)
    return layers.Add(name=f"{name}_add")([x, narrow])


@FAMILY.model
def make():
    import keras
    from keras import layers

    image = keras.Input((64, 64, 3), name="image")
    x = layers.Conv2D(32, 3, padding="same", kernel_initializer="he_normal", name="stem")(image)
    for index in range(4):
        x = _block(x, f"block{index}")
    pooled = layers.GlobalAveragePooling2D(name="pooled")(x)
    return keras.Model(image, layers.Dense(10, name="scores")(pooled), name="network")


FAMILY.onnx("one weight off by 1e-3 of its size", "scores", lambda g: g.change("MatMul", "scores", 1, one_off(1e-3)))
FAMILY.tflite(
    "square kernel transposed",
    "block2_depthwise",
    lambda f: f.change("DEPTHWISE_CONV_2D", "", 1, transposed(1, 2), 2),
)
FAMILY.rebuilt("wrong batch-norm epsilon", "block1_norm", Changed(config={"epsilon": 1e-5}), ["onnx"])
FAMILY.tflite("scale off by 1e-4", "scores", lambda f: f.change("FULLY_CONNECTED", "scores", 1, scaled(1 + 1e-4)))
FAMILY.tflite("two channels swapped", "stem", lambda f: f.change("CONV_2D", "stem", 1, swapped(3, 0, 2)))
