"""A scaled copy of the input as a model."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

DOMAINS = {"features": "uniform(-10, 10)"}


def scaled(scale: float | tuple[float, ...] = 2.0) -> "keras.Model":
    """The input `(batch, features)` times a constant.

    Args:
        scale: one number, or one per feature, which fixes the number of features.
    """
    import keras

    from kexport_layers.scaled_output import ScaledOutput

    features = keras.Input((len(scale) if isinstance(scale, tuple) else None,), name="features")
    return keras.Model(features, ScaledOutput(scale, name="scaled_features")(features), name="scaled")
