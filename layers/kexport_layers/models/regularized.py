"""A small classifier whose first layer is driven to be sparse."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

DOMAINS = {"features": "uniform(0, 1)"}


def regularized(
    features: int = 64, outputs: int = 10, units: int = 64, strength: float = 1e-3, seed: int = 0
) -> "keras.Model":
    """Dense(units, relu) with an L1 penalty on its kernel, then Dense(outputs).

    Args:
        features: size of the input.
        outputs: size of the output, the logits.
        units: size of the hidden layer.
        strength: weight of the penalty: adds `strength * sum |w|` to the loss of training, and nothing to inference.
        seed: the seed of the initial weights.
    """
    import keras

    for name, size in (("features", features), ("outputs", outputs), ("units", units)):
        if size < 1:
            raise ValueError(f"{name} must be at least 1; got {size}")
    if strength < 0:
        raise ValueError(f"strength must not be negative; got {strength}")
    inputs = keras.Input((features,), name="features")
    hidden = keras.layers.Dense(
        units,
        activation="relu",
        kernel_regularizer=keras.regularizers.L1(strength),
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        name="hidden",
    )(inputs)
    logits = keras.layers.Dense(outputs, kernel_initializer=keras.initializers.GlorotUniform(seed + 1), name="logits")(
        hidden
    )
    return keras.Model(inputs, logits, name="regularized")
