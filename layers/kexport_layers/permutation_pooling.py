"""Pooling over a set, independent of the order of its members."""

from __future__ import annotations

import keras

from kexport_layers._dense import in_precision, precision, require
from kexport_layers._types import Config, Contracts, Shape, Tensor

_MODES = ("mean", "sum", "max", "min")


@keras.saving.register_keras_serializable(package="kexport")
class PermutationPooling(keras.layers.Layer):
    """Mean, sum, maximum or minimum along one axis, independent of the order along it.

    Zaheer and others, Deep sets, 2017. Computes in float32 under every dtype policy.

    Args:
        mode: `"mean"`, `"sum"`, `"max"` or `"min"`.
        axis: the axis of the members of the set; the batch is axis 0.
        **kwargs: passed to `keras.layers.Layer`.

    Input shape:
        `(batch, ...)` of rank 2 or more; batch and members may be dynamic.

    Output shape:
        The input's without the axis, float32.

    Raises:
        ValueError: an unknown mode, or an axis that the input does not have.

    Example:
        >>> import numpy as np
        >>> layer = PermutationPooling("sum")
        >>> np.asarray(layer(np.array([[[1.0], [2.0]]], "float32"))).tolist()
        [[3.0]]
    """

    def __init__(self, mode: str = "mean", axis: int = 1, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.autocast = False  # else a mixed policy would round inputs and weights to half precision
        require(self, mode in _MODES, f"mode must be one of {', '.join(_MODES)}; got {mode!r}")
        require(self, isinstance(axis, int) and axis != 0, f"axis must be an integer other than 0; got {axis!r}")
        self.mode, self.axis = mode, axis

    def build(self, input_shape: Shape) -> None:
        """Check that the input has the axis."""
        rank = len(input_shape)
        fits = -rank < self.axis < rank
        require(self, fits, f"axis {self.axis} does not exist in an input of shape {tuple(input_shape)}")
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Pool along the axis."""
        pool = {"mean": keras.ops.mean, "sum": keras.ops.sum, "max": keras.ops.max, "min": keras.ops.min}[self.mode]
        return pool(in_precision(self, inputs), axis=self.axis)

    def compute_output_spec(self, inputs: Tensor) -> Tensor:
        """Float32, whatever the dtype policy."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=precision(self))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input without the axis."""
        axis = self.axis % len(input_shape)
        return (*input_shape[:axis], *input_shape[axis + 1 :])

    def contracts(self) -> Contracts:
        """Independent of the order along the axis."""
        from kexport.contracts import PermutationInvariant

        return [PermutationInvariant(self.axis)]

    def get_config(self) -> Config:
        """The constructor's arguments."""
        return {**super().get_config(), "mode": self.mode, "axis": self.axis}
