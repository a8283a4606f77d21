"""One member of every family of `keras.applications`, with random weights and a small input."""

from __future__ import annotations

from typing import Any

import keras

from coverage_cases._case import Cases
from coverage_cases._draw import pixels

CASES = Cases("applications")
_FAMILIES = {
    "ConvNeXtTiny": 32,
    "DenseNet121": 32,
    "EfficientNetB0": 32,
    "EfficientNetV2B0": 32,
    "InceptionResNetV2": 75,
    "InceptionV3": 75,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "NASNetMobile": 32,
    "ResNet50": 32,
    "ResNet50V2": 32,
    "VGG16": 32,
    "VGG19": 32,
    "Xception": 71,
}


def _make(name: str, size: int) -> Any:
    return getattr(keras.applications, name)(
        weights=None, input_shape=(size, size, 3), include_top=False, pooling="avg"
    )


for _name, _size in _FAMILIES.items():
    CASES.add(
        f"{_name}/{_size}",
        lambda name=_name, size=_size: _make(name, size),
        {"keras_tensor": pixels(_size, _size, 3)},
        noise=True,
        timeout=900.0,
    )
