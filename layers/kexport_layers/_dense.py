"""The base class of dense layers with a constrained kernel, and helpers of all layers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import keras

from kexport_layers._types import Config, Shape, Tensor


@dataclass(frozen=True)
class Activations:
    """The activations that keep a constraint.

    Attributes:
        names: the names of the activations.
        why: a clause for error messages: what they have in common.
    """

    names: Collection[str]
    why: str


class ConstrainedDense(keras.layers.Layer):
    """A dense layer whose kernel is computed from free weights: `y = activation(x kernel + bias)`, in float32.

    Args:
        units: size of the last axis of the output.
        activation: its name; None for no activation.
        allowed: the activations that keep the constraint.
        use_bias: whether to add a bias.
        kernel_initializer: the initializer of the free weights.
        kernel_regularizer: the regularizer of the free weights.
        **kwargs: passed to `keras.layers.Layer`.
    """

    def __init__(
        self,
        units: int,
        activation: str | None,
        allowed: Activations,
        use_bias: bool,
        kernel_initializer: object,
        kernel_regularizer: object,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.autocast = False  # else a mixed policy would round inputs and weights to half precision
        require(self, isinstance(units, int) and units > 0, f"units must be an integer of at least 1; got {units!r}")
        require(
            self,
            activation is None or activation in allowed.names,
            f"activation must be None or one of {', '.join(sorted(allowed.names))}, {allowed.why}; got {activation!r}",
        )
        self.units, self.activation, self.use_bias = units, activation, bool(use_bias)
        self._activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: Shape) -> None:
        """Create the weights."""
        require(self, len(input_shape) >= 2, f"the input must be (batch, ..., features); got shape {input_shape}")
        require(self, input_shape[-1] is not None, f"the number of features must be fixed; got shape {input_shape}")
        self.free_kernel = self.add_weight(
            name="free_kernel",
            shape=(input_shape[-1], self.units),
            dtype=precision(self),
            autocast=False,  # under a mixed policy too
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.units,), dtype=precision(self), autocast=False, initializer="zeros"
            )
        super().build(input_shape)

    @property
    def kernel(self) -> Tensor:
        """The kernel that the layer multiplies by, of shape `(features, units)`."""
        raise NotImplementedError

    def call(self, inputs: Tensor) -> Tensor:
        """Compute `(batch, ..., units)` from `(batch, ..., features)`."""
        result = keras.ops.matmul(in_precision(self, inputs), self.kernel)
        if self.use_bias:
            result = keras.ops.add(result, self.bias)
        return result if self.activation in (None, "linear") else self._activation(result)

    def compute_output_spec(self, inputs: Tensor) -> Tensor:
        """Float32, whatever the dtype policy."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=precision(self))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input with `units` as its last axis."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> Config:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": self.activation,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


def precision(layer: keras.layers.Layer) -> str:
    """The dtype that a layer computes in: float32 under every policy but float64."""
    return "float64" if layer.compute_dtype == "float64" else "float32"


def in_precision(layer: keras.layers.Layer, values: Tensor) -> Tensor:
    """The values in the dtype that a layer computes in."""
    wanted = precision(layer)
    return values if keras.backend.standardize_dtype(values.dtype) == wanted else keras.ops.cast(values, wanted)


def require(layer: keras.layers.Layer, condition: bool, message: str) -> None:
    """Raise `ValueError`, with the name of the layer's class, unless the condition holds."""
    if not condition:
        raise ValueError(f"{type(layer).__name__}: {message}")


def directions(layer: keras.layers.Layer, given: int | Sequence[int]) -> int | tuple[int, ...]:
    """Check directions: a single one, or one per feature, each 1, -1 or 0."""
    ways = list(given) if isinstance(given, list | tuple) else [given]
    valid = bool(ways) and all(isinstance(way, int) and not isinstance(way, bool) and way in (-1, 0, 1) for way in ways)
    require(layer, valid, f"direction must be 1, -1 or 0, or one of them per feature; got {given!r}")
    return given if isinstance(given, int) else tuple(int(way) for way in given)
