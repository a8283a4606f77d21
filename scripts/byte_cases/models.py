"""Models that are built twice: of each kind of layer, weight, input and output that a bundle may hold."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable(package="bytes")
class TwoArguments(keras.Model):
    """A subclassed model of two inputs, which returns outputs by name."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.left, self.right = keras.layers.Dense(4), keras.layers.Dense(4)

    def call(self, a: object, b: object) -> dict[str, object]:
        """Adds what two layers make of the inputs."""
        total = self.left(a) + self.right(b)
        return {"total": total, "share": keras.ops.softmax(total)}


@keras.saving.register_keras_serializable(package="bytes")
class Scale(keras.layers.Layer):
    """A layer of a user's own, whose weight is no layer's."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the weight."""
        self.factor = self.add_weight(shape=(shape[-1],), initializer="random_uniform", name="factor")

    def call(self, x: object) -> object:
        """Scales each element."""
        return x * self.factor


def _seeded() -> Any:
    keras.utils.set_random_seed(3)
    return keras.layers


def dense() -> keras.Model:
    """Dense layers, and a softmax, which promises something."""
    layers = _seeded()
    x = keras.Input((12,), name="x")
    return keras.Model(x, layers.Dense(3, activation="softmax")(layers.Dense(8, activation="gelu")(x)), name="dense")


def convolution() -> keras.Model:
    """Convolutions of all kinds on a fixed batch, with a constant that several use."""
    layers = _seeded()
    x = keras.Input(batch_shape=(2, 12, 12, 4), name="image")
    y = layers.Conv2D(8, 3, groups=2, padding="same", activation="relu")(x)
    y = layers.DepthwiseConv2D(3)(layers.BatchNormalization()(y))
    y = layers.Conv2DTranspose(4, 3, strides=2)(y)
    return keras.Model(x, layers.GlobalAveragePooling2D()(layers.PReLU()(y)), name="convolution")


def quantized() -> keras.Model:
    """The same, for all small precisions."""
    return convolution()


def branches() -> keras.Model:
    """Several inputs and outputs, shared layers, and sums that a converter can merge or reorder."""
    layers = _seeded()
    a, b = keras.Input((None, 6), name="a"), keras.Input((None, 6), name="b")
    shared = layers.Dense(6, activation="tanh")
    both = [shared(a), shared(b)]
    total, product = layers.Add()(both), layers.Multiply()(both)
    pooled = layers.GlobalMaxPooling1D()(layers.Concatenate()([total, product]))
    outputs = {"pooled": pooled, "total": total, "mean": layers.Average()([*both, total])}
    return keras.Model([a, b], outputs, name="branches")


def subclassed() -> keras.Model:
    """A subclassed model, with a shape for each argument."""
    _seeded()
    model = TwoArguments(name="subclassed")
    model(np.zeros((1, 3), "float32"), np.zeros((1, 5), "float32"))
    return model


def own_layer() -> keras.Model:
    """A layer of the user's own, between layers without names."""
    layers = _seeded()
    return keras.Sequential([keras.Input((7,)), layers.Dense(5), Scale(), layers.Dense(2), Scale()])


def preprocessing() -> keras.Model:
    """Layers that learned from data: tables, bins, mean and variance."""
    layers = _seeded()
    colour, age = keras.Input((1,), dtype="string", name="colour"), keras.Input((1,), name="age")
    words = layers.StringLookup(vocabulary=["red", "green", "blue", "grey"], output_mode="one_hot")
    bins = layers.Discretization(bin_boundaries=[10.0, 20.0, 60.0], output_mode="one_hot")
    scaled = layers.Normalization(mean=40.0, variance=90.0)(age)
    y = layers.Dense(3)(layers.Concatenate()([words(colour), bins(age), scaled]))
    return keras.Model([colour, age], y, name="preprocessing")


def attention() -> keras.Model:
    """Whole numbers, an embedding, attention and normalisation, of any length."""
    layers = _seeded()
    x = keras.Input((None,), dtype="int32", name="words")
    y = layers.Embedding(20, 8)(x)
    y = layers.LayerNormalization()(y + layers.MultiHeadAttention(2, 4)(y, y))
    return keras.Model(x, layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling1D()(y)), name="attention")


def recurrent() -> keras.Model:
    """Two directions and masks."""
    layers = _seeded()
    x = keras.Input((9, 4), name="x")
    y = layers.Bidirectional(layers.GRU(5, return_sequences=True))(layers.Masking()(x))
    return keras.Model(x, layers.TimeDistributed(layers.Dense(2))(y), name="recurrent")


def lstm() -> keras.Model:
    """One LSTM."""
    layers = _seeded()
    x = keras.Input((20, 8), name="x")
    return keras.Model(x, layers.Dense(1)(layers.LSTM(16)(x)), name="lstm")


def stateful() -> keras.Model:
    """Keeps state between calls."""
    layers = _seeded()
    x = keras.Input(batch_shape=(1, 5, 3), name="x")
    return keras.Model(x, layers.LSTM(4, stateful=True)(x), name="stateful")


def constraints() -> keras.Model:
    """Layers of kexport's own package, which promise something of the function and of weights."""
    import kexport_layers

    layers = _seeded()
    x = keras.Input((64,), name="signal")
    y = kexport_layers.LowPassFilter(9, name="smooth")(x)
    return keras.Model(x, layers.Dense(2, kernel_constraint="non_neg")(y), name="constraints")


def spectrum() -> keras.Model:
    """Operations that are rewritten for each format: transforms, sorting, cumulative sums."""
    layers = _seeded()
    x = keras.Input((16,), name="x")
    real, imaginary = keras.ops.rfft(x)
    size = keras.ops.sqrt(real * real + imaginary * imaginary + 1e-3)
    best, _ = keras.ops.top_k(size, 3)
    return keras.Model(x, [layers.Dense(2)(size), best, keras.ops.cumsum(x, axis=-1)], name="spectrum")


def mobile_net() -> keras.Model:
    """MobileNetV2 at 96 pixels, with random weights."""
    _seeded()
    return keras.applications.MobileNetV2(input_shape=(96, 96, 3), weights=None, classes=10, name="mobile_net")
