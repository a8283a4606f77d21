"""A scaled copy of the input."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras

from kexport_layers._types import Config, Contracts, Shape, Tensor


@keras.saving.register_keras_serializable(package="kexport")
class ScaledOutput(keras.layers.Layer):
    """Multiplies its input by a constant: `y = scale * x`.

    It promises `Scaled` with its scale. It computes in float32 where its compute dtype has half precision.

    Args:
        scale: one number, or one per channel (the last axis).
        **kwargs: passed to `keras.layers.Layer`.

    Input shape:
        Any shape; of rank 2 or more when `scale` has one number per channel.

    Output shape:
        As the input, in the layer's compute dtype.

    Raises:
        ValueError: a scale is not finite, or there are not as many of them as channels.

    Example:
        >>> import numpy as np
        >>> layer = ScaledOutput(scale=[1.0, 10.0])
        >>> np.asarray(layer(np.ones((1, 2), "float32"))).tolist()
        [[1.0, 10.0]]
    """

    def __init__(self, scale: float | Sequence[float] = 1.0, **kwargs: object) -> None:
        super().__init__(**kwargs)
        single = isinstance(scale, int | float)
        self.scale: float | list[float] = float(scale) if single else [float(value) for value in scale]  # type: ignore[union-attr, arg-type]
        values = [self.scale] if isinstance(self.scale, float) else self.scale
        if not values or not all(map(math.isfinite, values)):
            raise ValueError(f"ScaledOutput: scale must be one finite number, or one per channel; got {scale!r}")

    def build(self, input_shape: Shape) -> None:
        """Check that there is a scale for every channel."""
        if isinstance(self.scale, list) and input_shape[-1] != len(self.scale):
            raise ValueError(
                f"ScaledOutput: {len(self.scale)} scales need an input of {len(self.scale)} channels on its last "
                f"axis; got shape {tuple(input_shape)}"
            )
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Scale the input, of any shape."""
        if keras.backend.standardize_dtype(inputs.dtype) not in ("float16", "bfloat16"):
            return inputs * keras.ops.convert_to_tensor(self.scale, dtype=inputs.dtype)
        wide = keras.ops.cast(inputs, "float32") * keras.ops.convert_to_tensor(self.scale, dtype="float32")
        return keras.ops.cast(wide, inputs.dtype)

    def contracts(self) -> Contracts:
        """Every element is the input's, times its scale."""
        from kexport.contracts import Scaled

        return [Scaled(self.scale if isinstance(self.scale, float) else tuple(self.scale))]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input."""
        return input_shape

    def get_config(self) -> Config:
        """The constructor's arguments."""
        return {**super().get_config(), "scale": self.scale}
