"""Functions of images."""

from keras import ops

from coverage_cases._draw import normal, uniform
from coverage_cases.ops._operation import Operations

CASES = Operations()
of = CASES.of
_IMAGE = uniform(0, 1, 10, 12, 3)

for _how in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
    of(f"resize/{_how}", _IMAGE, lambda x, how=_how: ops.image.resize(x, (15, 7), interpolation=how))
of("resize/antialias", _IMAGE, lambda x: ops.image.resize(x, (5, 7), antialias=True))
of("resize/dynamic", uniform(0, 1, None, None, 3), lambda x: ops.image.resize(x, (5, 7)))
for _name in ("rgb_to_grayscale", "rgb_to_hsv", "hsv_to_rgb", "sobel_edges"):
    of(f"{_name}/default", _IMAGE, getattr(ops.image, _name))
of("gaussian_blur/default", _IMAGE, lambda x: ops.image.gaussian_blur(x, (3, 3), (1.0, 1.0)))
of("extract_patches/default", _IMAGE, lambda x: ops.image.extract_patches(x, (3, 3)))
of("extract_patches/same", _IMAGE, lambda x: ops.image.extract_patches(x, (4, 3), strides=(2, 3), padding="same"))
of("extract_patches_3d/default", normal(6, 6, 6, 2), lambda x: ops.image.extract_patches_3d(x, (2, 3, 3)))
of("pad_images/default", _IMAGE, lambda x: ops.image.pad_images(x, 1, 2, target_height=14, target_width=16))
of("crop_images/default", _IMAGE, lambda x: ops.image.crop_images(x, 1, 2, target_height=6, target_width=7))
of(
    "affine_transform/default",
    _IMAGE,
    lambda x: ops.image.affine_transform(x, ops.array([1.0, 0.1, 1.0, -0.1, 0.9, 0.5, 0.0, 0.0])),
)
_FROM = [[0.0, 0.0], [0.0, 9.0], [11.0, 0.0], [11.0, 9.0]]
_TO = [[1.0, 0.0], [0.0, 8.0], [10.0, 1.0], [11.0, 9.0]]
of(
    "perspective_transform/default",
    _IMAGE,
    lambda x: ops.image.perspective_transform(
        x, ops.tile(ops.array([_FROM]), (ops.shape(x)[0], 1, 1)), ops.tile(ops.array([_TO]), (ops.shape(x)[0], 1, 1))
    ),
)
of(
    "map_coordinates/linear",
    [normal(6, 7), uniform(0, 5, 2, 5)],
    lambda x: ops.image.map_coordinates(x[0][0], x[1][0], order=1, fill_mode="nearest"),
)
of(
    "map_coordinates/nearest",
    [normal(6, 7), uniform(0, 5, 2, 5)],
    lambda x: ops.image.map_coordinates(x[0][0], x[1][0], order=0),
)
of(
    "scale_and_translate/default",
    _IMAGE,
    lambda x: ops.image.scale_and_translate(
        x, (ops.shape(x)[0], 8, 9, 3), ops.array([0.8, 0.7]), ops.array([1.0, 0.5]), (1, 2), "linear"
    ),
)
of("ssim/default", [uniform(0, 1, 16, 16, 3), uniform(0, 1, 16, 16, 3)], lambda x: ops.image.ssim(x[0], x[1], 1.0))
