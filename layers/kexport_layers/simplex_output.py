"""Nonnegative outputs that add up to a total."""

from __future__ import annotations

import math

import keras

from kexport_layers._dense import in_precision, precision, require
from kexport_layers._types import Config, Contracts, Shape, Tensor


@keras.saving.register_keras_serializable(package="kexport")
class SimplexOutput(keras.layers.Layer):
    """The softmax along the last axis, times a total: `y = total exp(x) / sum exp(x)`.

    Bridle, Probabilistic interpretation of feedforward classification network outputs, 1990. Computes in float32 under
    every dtype policy.

    Args:
        total: the sum of the outputs.
        **kwargs: passed to `keras.layers.Layer`.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        As the input, float32.

    Raises:
        ValueError: the total is not positive, or the input has no axis besides the batch.

    Example:
        >>> import numpy as np
        >>> layer = SimplexOutput(total=3.0)
        >>> np.asarray(layer(np.zeros((1, 3), "float32"))).round(5).tolist()
        [[1.0, 1.0, 1.0]]
    """

    def __init__(self, total: float = 1.0, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.autocast = False  # else a mixed policy would round the inputs to half precision
        valid = isinstance(total, int | float) and math.isfinite(total) and total > 0
        require(self, valid, f"total must be a positive number; got {total!r}")
        self.total = float(total)

    def build(self, input_shape: Shape) -> None:
        """Check the rank of the input."""
        require(self, len(input_shape) >= 2, f"the input must be (batch, ..., features); got shape {input_shape}")
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Compute shares of the total from `(batch, ..., features)`."""
        shares = keras.ops.softmax(in_precision(self, inputs), axis=-1)
        return shares if self.total == 1 else shares * self.total

    def compute_output_spec(self, inputs: Tensor) -> Tensor:
        """Float32, whatever the dtype policy."""
        return keras.KerasTensor(inputs.shape, dtype=precision(self))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input."""
        return input_shape

    def contracts(self) -> Contracts:
        """The sum, and the bounds 0 and total of each share."""
        from kexport.contracts import Bounded, SumsTo

        return [SumsTo(self.total), Bounded(0.0, self.total)]

    def get_config(self) -> Config:
        """The constructor's arguments."""
        return {**super().get_config(), "total": self.total}
