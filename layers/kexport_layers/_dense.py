"""What the dense layers with constrained kernels share: their arguments, and the call."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import keras

from kexport_layers._types import Config, Shape, Tensor


class ConstrainedDense(keras.layers.Layer):
    """A dense layer whose kernel is made from free weights: `y = activation(x kernel + bias)`, in float32.

    Args:
        units: size of the last axis of the output.
        activation: by name; None for none.
        allowed: names of the activations that keep the promise.
        why: the others do not, for the error.
        use_bias: add a constant.
        kernel_initializer: of the free weights.
        kernel_regularizer: of the free weights.
        **kwargs: as of every Keras layer.
    """

    def __init__(
        self,
        units: int,
        activation: str | None,
        allowed: Collection[str],
        why: str,
        use_bias: bool,
        kernel_initializer: object,
        kernel_regularizer: object,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.autocast = False  # or inputs and weights would be rounded to the halves of a mixed policy
        require(
            self, isinstance(units, int) and units > 0, f"units must be a whole number of at least 1; got {units!r}"
        )
        require(
            self,
            activation is None or activation in allowed,
            f"activation must be None or one of {', '.join(sorted(allowed))}, {why}; got {activation!r}",
        )
        self.units, self.activation, self.use_bias = units, activation, bool(use_bias)
        self._activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: Shape) -> None:
        """Make the weights."""
        require(self, len(input_shape) >= 2, f"the input must be (batch, ..., features); got shape {input_shape}")
        require(self, input_shape[-1] is not None, f"the number of features must be fixed; got shape {input_shape}")
        self.free_kernel = self.add_weight(
            name="free_kernel",
            shape=(input_shape[-1], self.units),
            dtype=precision(self),
            autocast=False,  # in a mixed model, too
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
        """Float32, whatever the policy is."""
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
    """The dtype that a layer computes in: float32 under every policy but float64's own."""
    return "float64" if layer.compute_dtype == "float64" else "float32"


def in_precision(layer: keras.layers.Layer, values: Tensor) -> Tensor:
    """The values in the dtype that a layer computes in; those that are, as they are."""
    wanted = precision(layer)
    return values if keras.backend.standardize_dtype(values.dtype) == wanted else keras.ops.cast(values, wanted)


def require(layer: keras.layers.Layer, condition: bool, message: str) -> None:
    """Raise `ValueError` in the layer's name unless the condition holds."""
    if not condition:
        raise ValueError(f"{type(layer).__name__}: {message}")


def directions(layer: keras.layers.Layer, given: int | Sequence[int]) -> int | tuple[int, ...]:
    """One direction, or one a feature, each 1, -1 or 0."""
    ways = list(given) if isinstance(given, list | tuple) else [given]
    sound = bool(ways) and all(isinstance(way, int) and not isinstance(way, bool) and way in (-1, 0, 1) for way in ways)
    require(layer, sound, f"direction must be 1, -1 or 0, or one of them a feature; got {given!r}")
    return given if isinstance(given, int) else tuple(int(way) for way in given)
