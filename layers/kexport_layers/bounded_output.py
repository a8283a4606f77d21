"""Outputs between two bounds."""

from __future__ import annotations

import math

import keras

from kexport_layers._dense import in_precision, precision, require
from kexport_layers._types import Config, Contracts, Shape, Tensor

_METHODS = ("sigmoid", "tanh", "clip")


@keras.saving.register_keras_serializable(package="kexport")
class BoundedOutput(keras.layers.Layer):
    """Maps every element into an interval.

    - `"sigmoid"`: `low + (high - low) / (1 + exp(-x))`;
    - `"tanh"`: `middle + (high - low) / 2 tanh(x)`;
    - `"clip"`: the nearest number in the interval.

    The first two are clipped too, since in float32 the sum may exceed a bound by one unit in the last place. Computes
    in float32 under every dtype policy.

    Args:
        low: the smallest output.
        high: the largest output.
        method: one of the above.
        **kwargs: passed to `keras.layers.Layer`.

    Input shape:
        Any.

    Output shape:
        As the input, float32.

    Raises:
        ValueError: the bounds are not finite and in order, or the method is unknown.

    Example:
        >>> import numpy as np
        >>> layer = BoundedOutput(-1.0, 1.0, method="clip")
        >>> np.asarray(layer(np.array([[-3.0, 0.5]], "float32"))).tolist()
        [[-1.0, 0.5]]
    """

    def __init__(self, low: float = 0.0, high: float = 1.0, method: str = "sigmoid", **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.autocast = False  # else a mixed policy would round the inputs to half precision
        numbers = all(isinstance(bound, int | float) and math.isfinite(bound) for bound in (low, high))
        require(self, numbers and low < high, f"low and high must be finite numbers in order; got {low!r}, {high!r}")
        require(self, method in _METHODS, f"method must be one of {', '.join(_METHODS)}; got {method!r}")
        self.low, self.high, self.method = float(low), float(high), method

    def call(self, inputs: Tensor) -> Tensor:
        """Map the input, of any shape."""
        values = in_precision(self, inputs)
        if self.method == "clip":
            return keras.ops.clip(values, self.low, self.high)
        if self.method == "sigmoid":
            offset, factor, squashed = self.low, self.high - self.low, keras.ops.sigmoid(values)
        else:
            offset, factor = (self.low + self.high) / 2, (self.high - self.low) / 2
            squashed = keras.ops.tanh(values)
        scaled = squashed if factor == 1 else squashed * factor
        placed = scaled if offset == 0 else scaled + offset
        return keras.ops.clip(placed, self.low, self.high)

    def compute_output_spec(self, inputs: Tensor) -> Tensor:
        """Float32, whatever the dtype policy."""
        return keras.KerasTensor(inputs.shape, dtype=precision(self))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input."""
        return input_shape

    def contracts(self) -> Contracts:
        """Bounded; and nondecreasing, as all three methods are."""
        from kexport.contracts import Bounded, Monotonic

        return [Bounded(self.low, self.high), Monotonic(1)]

    def get_config(self) -> Config:
        """The constructor's arguments."""
        return {**super().get_config(), "low": self.low, "high": self.high, "method": self.method}
