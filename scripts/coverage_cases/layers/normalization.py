"""Normalizations."""

import numpy as np
from keras import layers as L

from coverage_cases._case import Cases
from coverage_cases._draw import ended, normal

CASES = Cases("layers")
of = CASES.of

of("BatchNormalization/default", normal(6, 6, 3), lambda x: L.BatchNormalization()(x))
of("BatchNormalization/vector", normal(8), lambda x: L.BatchNormalization()(x))
of("BatchNormalization/axis1", normal(3, 8, 8), lambda x: L.BatchNormalization(axis=1)(x))
of("BatchNormalization/plain", normal(8), lambda x: L.BatchNormalization(scale=False, center=False)(x))
of("BatchNormalization/renorm", normal(8), lambda x: L.BatchNormalization(renorm=True)(x))
of("BatchNormalization/masked", ended(normal(6, 4)), lambda x: L.BatchNormalization()(L.Masking(0.0)(x)))
of("BatchNormalization/five_axes", normal(3, 4, 5, 2), lambda x: L.BatchNormalization()(x))
of(
    "BatchNormalization/after_conv",
    normal(8, 8, 3),
    lambda x: L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3, use_bias=False)(x))),
)
of("BatchNormalization/mixed_float16", normal(8), lambda x: L.BatchNormalization(dtype="mixed_float16")(x), noise=True)
of("LayerNormalization/default", normal(5, 8), lambda x: L.LayerNormalization()(x))
of("LayerNormalization/two_axes", normal(5, 6, 8), lambda x: L.LayerNormalization(axis=[1, 2])(x))
of("LayerNormalization/axis1", normal(5, 8), lambda x: L.LayerNormalization(axis=1)(x))
of("LayerNormalization/plain", normal(5, 8), lambda x: L.LayerNormalization(center=False, scale=False)(x))
of("LayerNormalization/dynamic", normal(None, 8), lambda x: L.LayerNormalization()(x))
of("LayerNormalization/mixed", normal(5, 8), lambda x: L.LayerNormalization(dtype="mixed_float16")(x), noise=True)
of("RMSNormalization/default", normal(5, 8), lambda x: L.RMSNormalization()(x))
of("RMSNormalization/dynamic", normal(None, 8), lambda x: L.RMSNormalization()(x))
of("UnitNormalization/default", normal(5, 8), lambda x: L.UnitNormalization()(x))
of("UnitNormalization/two_axes", normal(5, 8), lambda x: L.UnitNormalization(axis=[1, 2])(x))
of("GroupNormalization/default", normal(6, 6, 8), lambda x: L.GroupNormalization(4)(x))
of("GroupNormalization/instance", normal(6, 6, 8), lambda x: L.GroupNormalization(-1)(x))
of("GroupNormalization/one", normal(6, 8), lambda x: L.GroupNormalization(1)(x))
of("GroupNormalization/axis1", normal(8, 6, 6), lambda x: L.GroupNormalization(2, axis=1)(x))
of("GroupNormalization/dynamic", normal(None, None, 8), lambda x: L.GroupNormalization(4)(x))


def _adapted(x, **settings):
    layer = L.Normalization(**settings)
    layer.adapt(np.random.default_rng(0).normal(2, 3, (50, *x.shape[1:])).astype("float32"))
    return layer(x)


of("Normalization/adapted", normal(4), _adapted)
of("Normalization/adapted_axis", normal(6, 6, 3), lambda x: _adapted(x, axis=-1))
of("Normalization/given", normal(4), lambda x: L.Normalization(mean=2.0, variance=3.0)(x))
of("Normalization/inverted", normal(4), lambda x: L.Normalization(mean=2.0, variance=3.0, invert=True)(x))
of("Normalization/by_axis", normal(5, 2), lambda x: L.Normalization(axis=-1, mean=[1.0, 2.0], variance=[3.0, 4.0])(x))
