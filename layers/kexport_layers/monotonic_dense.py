"""A dense layer that is monotone in every feature."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from kexport_layers._dense import ConstrainedDense, directions, require
from kexport_layers._types import Config, Contracts, Shape, Tensor

_RISING = ("linear", "relu", "relu6", "leaky_relu", "elu", "softplus", "softsign", "sigmoid", "hard_sigmoid", "tanh")


@keras.saving.register_keras_serializable(package="kexport")
class MonotonicDense(ConstrainedDense):
    """A dense layer whose outputs never fall where a feature grows, or never rise, as `direction` says.

    `y = activation(x kernel + bias)` with `kernel[i, j] = direction[i] |w[i, j]|` and a nondecreasing activation; a
    feature of direction 0 has free weights. Layers in a row stay monotone: Archer and Wang, Application of the back
    propagation neural network algorithm with monotonicity constraints for two-group classification problems, 1993.
    Computes in float32 under every dtype policy.

    Args:
        units: size of the last axis of the output.
        direction: 1 for outputs that never fall where the input grows, -1 for outputs that never rise, 0 for a feature
            of which nothing is promised; one for all, or one a feature.
        activation: the name of a nondecreasing one; None for none.
        use_bias: add a constant.
        kernel_initializer: of the weights whose magnitude counts.
        kernel_regularizer: of the same.
        **kwargs: as of every Keras layer.

    Input shape:
        `(batch, ..., features)`.

    Output shape:
        `(batch, ..., units)`, float32.

    Raises:
        ValueError: an activation that is not known to be nondecreasing, a direction that is none of 1, -1, 0, or not as
            many of them as features.

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
        why = "which never fall"
        super().__init__(units, activation, _RISING, why, use_bias, kernel_initializer, kernel_regularizer, **kwargs)
        self.direction = directions(self, direction)

    def build(self, input_shape: Shape) -> None:
        """Make the weights, when there is a direction for every feature."""
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
