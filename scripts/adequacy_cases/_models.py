"""The models whose weights are changed. None of them declares a domain: the goldens are those of a default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_FAMILIES = (
    "attention", "convolution", "dense", "embedding", "gru", "lstm", "normalised", "pixels", "pooling", "bounded",
)  # fmt: skip
_COVERED = (
    "functional/autoencoder", "functional/transformer", "functional/vision transformer",
    "functional/sequence classifier", "functional/int and float", "functional/skip connections",
    "Sequential/convolutional", "functional/shared layer", "functional/mixed float16",
)  # fmt: skip
MODELS: dict[str, Callable[[], Any]] = {}


def model(make: Callable[[], Any]) -> Callable[[], Any]:
    """Add the model that the decorated function makes."""
    MODELS[make.__name__] = make
    return make


def _family(name: str) -> Callable[[], Any]:
    def make() -> Any:
        import fault_cases

        return fault_cases.get(name).make()

    return make


def _covered(name: str) -> Callable[[], Any]:
    def make() -> Any:
        import coverage_cases

        (case,) = [case for case in coverage_cases.every(["models"]) if case.name == name]
        return case.make()

    return make


MODELS.update({name: _family(name) for name in _FAMILIES})
MODELS.update({name.replace("/", " "): _covered(name) for name in _COVERED})


@model
def regularized():
    from kexport_layers.models.regularized import regularized as make

    return make()


@model
def sensor():
    """Measurements in physical units, normalised inside."""
    import keras
    from keras import layers

    pressure = keras.Input((2,), name="pressure")
    known = layers.Normalization(mean=[50.0, 1000.0], variance=[25.0, 10000.0], name="known")(pressure)
    hidden = layers.Dense(8, activation="relu", name="hidden")(known)
    return keras.Model(pressure, layers.Dense(1, name="level")(hidden))


@model
def adapted():
    """The same, with statistics that were adapted to data."""
    import keras
    import numpy as np
    from keras import layers

    data = np.random.default_rng(0).normal((20.0, -300.0, 4.0), (2.0, 50.0, 0.5), (200, 3)).astype("float32")
    norm = layers.Normalization(name="norm")
    norm.adapt(data)
    room = keras.Input((3,), name="room")
    return keras.Model(room, layers.Dense(3, name="mixed")(layers.ReLU(name="positive")(norm(room))))


@model
def tabular():
    """Codes, cities and ages, each looked up in front of an embedding."""
    import keras
    from keras import layers

    zips, city, age = keras.Input((1,), dtype="int64", name="zip"), keras.Input((1,), dtype="string", name="city"), None
    age = keras.Input((1,), name="age")
    codes = layers.IntegerLookup(vocabulary=[10, 20, 30, 77], name="codes")(zips)
    names = layers.StringLookup(vocabulary=["ulm", "bonn", "kiel"], name="names")(city)
    bins = layers.Discretization(bin_boundaries=[18.0, 30.0, 50.0, 65.0], name="bins")(age)
    sizes = ((codes, 5, "of_zip"), (names, 4, "of_city"), (bins, 5, "of_age"))
    flat = [layers.Flatten()(layers.Embedding(size, 4, name=name)(found)) for found, size, name in sizes]
    return keras.Model(
        {"zip": zips, "city": city, "age": age}, layers.Dense(2, name="risk")(layers.Concatenate()(flat))
    )


@model
def review():
    """Text, split into words that are looked up."""
    import keras
    from keras import layers

    text = keras.Input((1,), dtype="string", name="text")
    words = ["good", "bad", "film", "music", "actor", "boring", "plot", "and"]
    ids = layers.TextVectorization(vocabulary=words, output_sequence_length=6, name="words")(text)
    vectors = layers.Embedding(10, 4, name="vectors")(ids)
    return keras.Model(
        text, layers.Dense(1, activation="sigmoid", name="liked")(layers.GlobalAveragePooling1D()(vectors))
    )


@model
def buckets():
    """Numbers in bins, and categories, one-hot."""
    import keras
    from keras import layers

    income, kind = keras.Input((2,), name="income"), keras.Input((1,), dtype="int32", name="kind")
    binned = layers.Discretization([1000.0, 2500.0, 4000.0], output_mode="count", name="binned")(income)
    one_hot = layers.CategoryEncoding(6, output_mode="one_hot", name="one_hot")(kind)
    both = layers.Concatenate()([binned, one_hot])
    return keras.Model({"income": income, "kind": kind}, layers.Dense(3, activation="softmax", name="offer")(both))


@model
def photo():
    """Bytes, rescaled, through an inverted residual block as of MobileNetV2."""
    import keras
    from keras import layers

    image = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(
        layers.Rescaling(1 / 127.5, offset=-1, name="rescaled")(image)
    )
    x = layers.ReLU(6.0)(layers.BatchNormalization(name="stem_norm")(x))
    wide = layers.ReLU(6.0)(
        layers.BatchNormalization(name="wide_norm")(layers.Conv2D(24, 1, use_bias=False, name="wide")(x))
    )
    deep = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(wide)
    deep = layers.ReLU(6.0)(layers.BatchNormalization(name="deep_norm")(deep))
    narrow = layers.BatchNormalization(name="narrow_norm")(layers.Conv2D(8, 1, use_bias=False, name="narrow")(deep))
    pooled = layers.GlobalAveragePooling2D()(layers.Add()([x, narrow]))
    return keras.Model(image, layers.Dense(5, activation="softmax", name="classes")(pooled))


@model
def unit():
    """Every other kind of normalisation, and transposed and dilated convolutions."""
    import keras
    from keras import layers

    image = keras.Input((8, 8, 4), name="image")
    x = layers.GroupNormalization(groups=2, name="groups")(
        layers.Conv2D(4, 3, dilation_rate=2, padding="same", name="dilated")(image)
    )
    x = layers.LayerNormalization(name="layer")(layers.Conv2DTranspose(4, 3, strides=2, name="transposed")(x))
    x = layers.SeparableConv2D(4, 3, strides=2, activation="gelu", name="separable")(x)
    x = layers.RMSNormalization(name="root")(layers.PReLU(shared_axes=[1, 2], name="slopes")(x))
    return keras.Model(image, layers.Dense(3, name="scores")(layers.GlobalMaxPooling2D()(x)))


@model
def decision():
    """A condition with a branch of its own weights on either side."""
    import keras
    from keras import layers, ops

    x = keras.Input((6,), name="x")
    one, other = layers.Dense(4, name="above")(x), layers.Dense(4, activation="tanh", name="below")(x)
    return keras.Model(x, layers.Dense(2, name="out")(ops.where(ops.mean(x, -1, keepdims=True) > 0.1, one, other)))
