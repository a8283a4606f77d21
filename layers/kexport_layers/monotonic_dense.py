"""A dense layer that is monotone in every feature."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from kexport_layers._dense import Activations, ConstrainedDense, directions, require
from kexport_layers._types import Config, Contracts, Shape, Tensor

_RISING = Activations(
    ("linear", "relu", "relu6", "leaky_relu", "elu", "softplus", "softsign", "sigmoid", "hard_sigmoid", "tanh"),
    "which are nondecreasing",
)


@keras.saving.register_keras_serializable(package="kexport")
class MonotonicDense(ConstrainedDense):
    """A dense layer whose outputs never fall, or never rise, as a feature grows.

    `y = activation(x kernel + bias)` with `kernel[i, j] = direction[i] |w[i, j]|` and a nondecreasing activation; a
    feature of direction 0 has free weights. A stack of such layers is monotone: Archer and Wang, Application of the
    back propagation neural network algorithm with monotonicity constraints for two-group classification problems, 1993.
    Computes in float32 under every dtype policy.

    Args:
        units: size of the last axis of the output.
        direction: 1 for outputs that never fall as the feature grows, -1 for outputs that never rise, 0 for no promise;
            a single one for all features, or one per feature.
        activation: the name of a nondecreasing activation; None for none.
        use_bias: whether to add a bias.
        kernel_initializer: the initializer of the free weights.
        kernel_regularizer: the regularizer of the free weights.
        **kwargs: passed to `keras.layers.Layer`.

    Input shape:
        `(batch, ..., features)`.

    Output shape:
        `(batch, ..., units)`, float32.

    Raises:
        ValueError: the activation is not known to be nondecreasing, a direction is none of 1, -1 and 0, or there are
            not as many of them as features.

    Example:
        >>> import numpy as np
        >>> layer = MonotonicDense(1, direction=[1, -1], kernel_initializer="ones")
        >>> np.asarray(layer(np.array([[3.0, 1.0]], "float32"))).tolist()
        [[2.0]]
    """

    def __init__(
        self,
        units: int,
        direction: int | Sequence[int] = 1,
        activation: str | None = None,
        use_bias: bool = True,
        kernel_initializer: object = "glorot_uniform",
        kernel_regularizer: object = None,
        **kwargs: object,
    ) -> None:
        super().__init__(units, activation, _RISING, use_bias, kernel_initializer, kernel_regularizer, **kwargs)
        self.direction = directions(self, direction)

    def build(self, input_shape: Shape) -> None:
        """Check that there is a direction for every feature, and create the weights."""
        count = len(self.direction) if isinstance(self.direction, tuple) else input_shape[-1]
        require(
            self,
            count == input_shape[-1],
            f"{count} directions need an input of {count} features; got shape {tuple(input_shape)}",
        )
        super().build(input_shape)

    @property
    def kernel(self) -> Tensor:
        """The magnitudes of the free weights, with the signs of the directions."""
        ways = np.broadcast_to(np.asarray(self.direction, np.float32), (self.free_kernel.shape[0],))
        free = keras.ops.convert_to_tensor(self.free_kernel)
        if not ways.any():
            return free
        signed = keras.ops.abs(free)
        if (ways != 1).any():
            signed = signed * ways[:, None]
        return signed if ways.all() else keras.ops.where(ways[:, None] == 0, free, signed)

    def contracts(self) -> Contracts:
        """Monotone, in the direction of each feature."""
        from kexport.contracts import Monotonic

        return [Monotonic(self.direction)]

    def get_config(self) -> Config:
        """The constructor's arguments."""
        direction = list(self.direction) if isinstance(self.direction, tuple) else self.direction
        return {**super().get_config(), "direction": direction}
