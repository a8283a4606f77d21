"""Preprocessing and augmentation of images; augmentations do nothing, or what they do at inference."""

import keras
from keras import layers as L

from coverage_cases._case import Cases
from coverage_cases._draw import integers, pixels, uniform

CASES = Cases("layers")
of = CASES.of
_IMAGE = pixels(12, 10, 3)

for _how in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
    of(f"Resizing/{_how}_down", pixels(13, 11, 3), lambda x, how=_how: L.Resizing(7, 5, interpolation=how)(x))
    of(f"Resizing/{_how}_up", pixels(7, 5, 3), lambda x, how=_how: L.Resizing(13, 12, interpolation=how)(x))
for _how in ("bilinear", "bicubic"):
    of(
        f"Resizing/antialias_{_how}",
        pixels(13, 11, 3),
        lambda x, how=_how: L.Resizing(7, 5, interpolation=how, antialias=True)(x),
    )
of("Resizing/crop", pixels(13, 9, 3), lambda x: L.Resizing(8, 8, crop_to_aspect_ratio=True)(x))
of("Resizing/pad", pixels(13, 9, 3), lambda x: L.Resizing(8, 8, pad_to_aspect_ratio=True, fill_value=3.0)(x))
of("Resizing/uint8", pixels(13, 9, 3, dtype="uint8"), lambda x: L.Resizing(8, 8)(x))
of("Resizing/dynamic", pixels(None, None, 3), lambda x: L.Resizing(8, 8)(x))
of("Resizing/dynamic_nearest", pixels(None, None, 3), lambda x: L.Resizing(8, 8, interpolation="nearest")(x))
of("Resizing/dynamic_crop", pixels(None, None, 3), lambda x: L.Resizing(8, 8, crop_to_aspect_ratio=True)(x))
of("Resizing/channels_first", pixels(3, 13, 9), lambda x: L.Resizing(8, 7, data_format="channels_first")(x))
of("CenterCrop/default", _IMAGE, lambda x: L.CenterCrop(8, 7)(x))
of("CenterCrop/larger", _IMAGE, lambda x: L.CenterCrop(14, 14)(x))
of("CenterCrop/dynamic", pixels(None, None, 3), lambda x: L.CenterCrop(2, 3)(x))
of("RandomCrop/default", _IMAGE, lambda x: L.RandomCrop(8, 7)(x))
of("RandomCrop/larger", _IMAGE, lambda x: L.RandomCrop(14, 14)(x))

_RANDOM = {
    "AugMix": {},
    "AutoContrast": {},
    "ContrastLimitedAdaptiveHistogramEqualization": {},
    "CutMix": {},
    "MixUp": {},
    "RandAugment": {},
    "RandomBrightness": {"factor": 0.2},
    "RandomColorDegeneration": {"factor": 0.5},
    "RandomColorJitter": {"brightness_factor": 0.2, "contrast_factor": 0.2, "hue_factor": 0.1},
    "RandomContrast": {"factor": 0.2},
    "RandomElasticTransform": {},
    "RandomErasing": {},
    "RandomFlip": {},
    "RandomGaussianBlur": {},
    "RandomGrayscale": {},
    "RandomHue": {"factor": 0.2},
    "RandomInvert": {},
    "RandomPerspective": {},
    "RandomPosterization": {"factor": 3},
    "RandomRotation": {"factor": 0.2},
    "RandomSaturation": {"factor": 0.4},
    "RandomSharpness": {"factor": 0.4},
    "RandomShear": {"x_factor": 0.2, "y_factor": 0.1},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
    "Solarization": {"threshold_factor": 0.5, "addition_factor": 0.1},
}
for _kind, _settings in _RANDOM.items():
    of(f"{_kind}/inference", _IMAGE, lambda x, kind=_kind, settings=_settings: getattr(L, kind)(**settings)(x))
of("RandomFlip/uint8", pixels(12, 10, 3, dtype="uint8"), lambda x: L.RandomFlip()(x))
of("RandomZoom/dynamic", pixels(None, None, 3), lambda x: L.RandomZoom(0.2)(x))
of("Pipeline/default", _IMAGE, lambda x: L.Pipeline([L.Rescaling(1 / 255.0), L.Resizing(6, 6)])(x))
of("Pipeline/augmenting", _IMAGE, lambda x: L.Pipeline([L.RandomFlip(), L.RandomRotation(0.1), L.Rescaling(0.1)])(x))


def _boxes(x):
    data = {"images": x[0], "bounding_boxes": {"boxes": x[1], "labels": x[2]}}
    return L.MaxNumBoundingBoxes(max_number=3, bounding_box_format="xyxy")(data)["bounding_boxes"]


of("MaxNumBoundingBoxes/default", [pixels(8, 8, 3), uniform(0, 9, 5, 4), integers(0, 4, 5)], _boxes)


@keras.saving.register_keras_serializable("coverage")
class _Around(L.Wrapper):
    """A layer that gives back its very input is no layer of a functional model."""

    def call(self, inputs):
        return self.layer(inputs) * 1.0

    def compute_output_shape(self, shape):
        return shape


of("Equalization/inference", _IMAGE, lambda x: _Around(L.Equalization())(x))
