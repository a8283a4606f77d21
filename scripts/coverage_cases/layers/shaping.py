"""Reshaping, cropping, padding, upsampling and merging."""

from keras import layers as L

from coverage_cases._case import Cases
from coverage_cases._draw import integers, normal

CASES = Cases("layers")
of = CASES.of
_FIRST = "channels_first"

of("Flatten/default", normal(3, 4, 5), lambda x: L.Flatten()(x))
of("Flatten/channels_first", normal(3, 4, 5), lambda x: L.Flatten(_FIRST)(x))
of("Flatten/dynamic", normal(None, 5), lambda x: L.Flatten()(x))
of("Flatten/vector", normal(), lambda x: L.Flatten()(x))
of("Reshape/default", normal(3, 4), lambda x: L.Reshape((2, 6))(x))
of("Reshape/inferred", normal(3, 4), lambda x: L.Reshape((2, -1))(x))
of("Reshape/dynamic", normal(None, 6), lambda x: L.Reshape((-1, 2, 3))(x))
of("Reshape/int", integers(0, 9, 3, 4), lambda x: L.Reshape((12,))(x))
of("Permute/default", normal(3, 4, 5), lambda x: L.Permute((3, 1, 2))(x))
of("Permute/dynamic", normal(None, 4, None), lambda x: L.Permute((2, 3, 1))(x))
of("RepeatVector/default", normal(5), lambda x: L.RepeatVector(3)(x))
of("Cropping1D/default", normal(9, 3), lambda x: L.Cropping1D((1, 2))(x))
of("Cropping1D/dynamic", normal(None, 3), lambda x: L.Cropping1D((1, 2))(x))
of("Cropping2D/default", normal(9, 8, 3), lambda x: L.Cropping2D(((1, 2), (0, 1)))(x))
of(
    "Cropping2D/channels_first_dynamic",
    normal(3, None, None),
    lambda x: L.Cropping2D(((1, 2), (0, 1)), data_format=_FIRST)(x),
)
of("Cropping3D/default", normal(9, 8, 7, 3), lambda x: L.Cropping3D(((1, 2), (0, 1), (1, 1)))(x))
of("Cropping3D/channels_first", normal(3, 9, 8, 7), lambda x: L.Cropping3D(1, data_format=_FIRST)(x))
of("ZeroPadding1D/default", normal(9, 3), lambda x: L.ZeroPadding1D((1, 2))(x))
of("ZeroPadding1D/channels_first", normal(3, 9), lambda x: L.ZeroPadding1D((1, 2), data_format=_FIRST)(x))
of("ZeroPadding2D/default", normal(9, 8, 3), lambda x: L.ZeroPadding2D(((1, 2), (0, 1)))(x))
of("ZeroPadding2D/channels_first_dynamic", normal(3, None, None), lambda x: L.ZeroPadding2D(1, data_format=_FIRST)(x))
of("ZeroPadding3D/default", normal(5, 4, 3, 3), lambda x: L.ZeroPadding3D(((1, 2), (0, 1), (1, 1)))(x))
of("ZeroPadding3D/channels_first", normal(3, 5, 4, 3), lambda x: L.ZeroPadding3D(1, data_format=_FIRST)(x))
of("UpSampling1D/default", normal(5, 3), lambda x: L.UpSampling1D(3)(x))
of("UpSampling1D/dynamic", normal(None, 3), lambda x: L.UpSampling1D(3)(x))
for _how in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
    of(f"UpSampling2D/{_how}", normal(5, 4, 3), lambda x, how=_how: L.UpSampling2D(2, interpolation=how)(x))
for _how in ("nearest", "bilinear", "bicubic"):
    of(
        f"UpSampling2D/{_how}_dynamic",
        normal(None, None, 3),
        lambda x, how=_how: L.UpSampling2D((2, 3), interpolation=how)(x),
    )
of("UpSampling2D/channels_first", normal(3, 5, 4), lambda x: L.UpSampling2D((2, 3), data_format=_FIRST)(x))
of(
    "UpSampling2D/channels_first_bilinear",
    normal(3, 5, 4),
    lambda x: L.UpSampling2D(2, data_format=_FIRST, interpolation="bilinear")(x),
)
of("UpSampling3D/default", normal(3, 4, 5, 2), lambda x: L.UpSampling3D(2)(x))
of("UpSampling3D/dynamic", normal(None, None, None, 2), lambda x: L.UpSampling3D(2)(x))
of("UpSampling3D/channels_first", normal(2, 3, 4, 5), lambda x: L.UpSampling3D((1, 2, 3), data_format=_FIRST)(x))
for _kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
    of(f"{_kind}/default", [normal(4, 5), normal(4, 5)], lambda x, kind=_kind: getattr(L, kind)()(x))
    of(f"{_kind}/broadcast", [normal(None, 5), normal(1, 5)], lambda x, kind=_kind: getattr(L, kind)()(x))
for _kind in ("Add", "Average", "Maximum"):
    of(f"{_kind}/three", [normal(5), normal(5), normal(5)], lambda x, kind=_kind: getattr(L, kind)()(x))
of("Add/int", [integers(-5, 5, 4), integers(-5, 5, 4)], lambda x: L.Add()(x))
of("Concatenate/default", [normal(4, 5), normal(4, 3)], lambda x: L.Concatenate()(x))
of("Concatenate/axis1_dynamic", [normal(None, 5), normal(None, 5)], lambda x: L.Concatenate(axis=1)(x))
of("Concatenate/three", [normal(4, 2), normal(4, 3), normal(4, 1)], lambda x: L.Concatenate(axis=2)(x))
of("Dot/vectors", [normal(5), normal(5)], lambda x: L.Dot(axes=1)(x))
of("Dot/normalized", [normal(4, 5), normal(6, 5)], lambda x: L.Dot(axes=2, normalize=True)(x))
of("Dot/two_axes", [normal(4, 5), normal(5, 6)], lambda x: L.Dot(axes=(2, 1))(x))
of("Dot/dynamic", [normal(None, 5), normal(None, 5)], lambda x: L.Dot(axes=2)(x))
