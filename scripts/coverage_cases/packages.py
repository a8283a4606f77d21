"""Models of layers from packages that are built on Keras; each needs its package only when it is made."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np

from coverage_cases._case import Cases
from coverage_cases._draw import Draw, integers, normal, uniform

CASES = Cases("packages")


def _layer(package: str, name: str, draw: Draw, module: str, kind: str, *arguments: Any, **settings: Any) -> None:
    """A case of a model that is one layer."""

    def apply(x: Any) -> Any:
        return getattr(importlib.import_module(module), kind)(*arguments, **settings)(x)

    CASES.of(f"{package}/{name}", draw, apply, package=package, noise=True)


_SERIES = normal(20, 3)
_layer("keras-tcn", "last", _SERIES, "tcn", "TCN", 4, dilations=(1, 2, 4), use_layer_norm=True)
_layer("keras-tcn", "sequence", normal(None, 3), "tcn", "TCN", 4, dilations=(1, 2), return_sequences=True)
_layer("keras-tcn", "batch_norm", _SERIES, "tcn", "TCN", 4, dilations=(1, 2), use_batch_norm=True, padding="same")
_layer("ncps", "CfC", _SERIES, "ncps.keras", "CfC", 8, return_sequences=True)
_layer("ncps", "LTC", normal(6, 3), "ncps.keras", "LTC", 8)
_layer("keras-mdn-layer", "MDN", normal(8), "keras_mdn_layer", "MDN", 2, 3)
_layer("mtcnn", "PNet", uniform(-1, 1, 24, 24, 3), "mtcnn.network.pnet", "PNet")
_layer("mtcnn", "RNet", uniform(-1, 1, 24, 24, 3), "mtcnn.network.rnet", "RNet")
_layer("mtcnn", "ONet", uniform(-1, 1, 48, 48, 3), "mtcnn.network.onet", "ONet")


def _lmu(x: Any) -> Any:
    import keras

    return importlib.import_module("keras_lmu").LMU(2, order=4, theta=10, hidden_cell=keras.layers.SimpleRNNCell(5))(x)


def _cross(x: Any) -> Any:
    layers = importlib.import_module("keras_rs.layers")
    return layers.FeatureCross()(x, layers.FeatureCross(projection_dim=4)(x, x))


def _interaction(ids: Any) -> Any:
    import keras

    embedded = keras.layers.Embedding(10, 8)(ids)
    return importlib.import_module("keras_rs.layers").DotInteraction()([embedded[:, index] for index in range(3)])


def _retrieval(x: Any) -> Any:
    candidates = np.random.default_rng(0).normal(size=(20, 8)).astype("float32")
    layer = importlib.import_module("keras_rs.layers").BruteForceRetrieval(candidate_embeddings=candidates, k=3)
    scores, ids = layer(x)
    return {"ids": ids, "scores": scores}


_FRAMES = {"n_fft": 256, "hop_length": 128}
_AUDIO = {**_FRAMES, "input_shape": (1024, 1)}


def _mel(x: Any) -> Any:
    make = importlib.import_module("kapre.composed").get_melspectrogram_layer
    return make(**_AUDIO, sample_rate=8000, n_mels=16, return_decibel=True)(x)


def _magnitude(x: Any) -> Any:
    kapre = importlib.import_module("kapre")
    return kapre.Magnitude()(kapre.STFT(**_AUDIO)(x))


_WAVE = normal(1024, 1)
CASES.of("keras-lmu/LMU", _SERIES, _lmu, package="keras-lmu", noise=True)
CASES.of("keras-rs/FeatureCross", normal(8), _cross, package="keras-rs", noise=True)
CASES.of("keras-rs/DotInteraction", integers(0, 10, 4), _interaction, package="keras-rs", noise=True)
CASES.of("keras-rs/BruteForceRetrieval", normal(8), _retrieval, package="keras-rs", noise=True)
CASES.of("kapre/mel_decibel", _WAVE, _mel, package="kapre", noise=True)
CASES.of("kapre/magnitude", _WAVE, _magnitude, package="kapre", noise=True)


def _detector_backbone() -> Any:
    make = importlib.import_module("keras_cv.models").CSPDarkNetBackbone
    sizes = {"stackwise_channels": [8, 16], "stackwise_depth": [1, 1]}
    return make(**sizes, include_rescaling=True, input_shape=(32, 32, 3))


_IMAGES = {"keras_tensor": uniform(0, 255, 32, 32, 3)}  # what Keras calls the first input that was given no name
CASES.add("keras-cv/CSPDarkNet", _detector_backbone, _IMAGES, package="keras-cv", noise=True, timeout=300.0)


def _basic_pitch() -> Any:
    """Its network is of Keras 2, which it finds as `tf.keras`."""
    tensorflow, keras2 = map(importlib.import_module, ("tensorflow", "tf_keras"))
    sys.modules |= {"tensorflow.keras": keras2, "tensorflow.keras.backend": keras2.backend}
    vars(tensorflow)["keras"] = keras2
    return importlib.import_module("basic_pitch.models").model()


def _crepe() -> Any:
    """The smallest of its networks (Kim et al., ICASSP 2018), which the package makes with fetched weights alone."""
    import keras

    x = keras.Input((1024,), name="frame")
    y = keras.layers.Reshape((1024, 1, 1))(x)
    for filters, width, stride in zip((128, 16, 16, 16, 32, 64), (512, *[64] * 5), (4, *[1] * 5), strict=True):
        y = keras.layers.Conv2D(filters, (width, 1), strides=(stride, 1), padding="same", activation="relu")(y)
        y = keras.layers.MaxPooling2D((2, 1))(keras.layers.BatchNormalization()(y))
        y = keras.layers.Dropout(0.25)(y)
    flat = keras.layers.Flatten()(keras.layers.Permute((2, 1, 3))(y))
    return keras.Model(x, keras.layers.Dense(360, activation="sigmoid", name="pitch")(flat))


_SOUND = {"input_1": uniform(-1, 1, 43844, 1)}
CASES.add("basic-pitch/network", _basic_pitch, _SOUND, package="basic-pitch", noise=True, timeout=900.0)
CASES.add("crepe/network", _crepe, {"frame": normal(1024)}, noise=True, timeout=300.0)
