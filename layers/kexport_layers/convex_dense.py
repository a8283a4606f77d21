"""A dense layer of an input-convex network."""

from __future__ import annotations

import keras

from kexport_layers._dense import Activations, ConstrainedDense, in_precision, precision, require
from kexport_layers._types import Config, Contracts, Shape, Tensor

_CONVEX = Activations(("linear", "relu", "leaky_relu", "softplus", "exponential"), "which are convex and nondecreasing")


@keras.saving.register_keras_serializable(package="kexport")
class ConvexDense(ConstrainedDense):
    """A dense layer whose outputs are convex functions of the network's input.

    The first layer takes the input `x` alone: `y = activation(x w + bias)`. Each later layer takes the output of the
    one before it, with nonnegative weights, and may take the input again, with free weights:
    `y = activation(z |v| + x w + bias)`. The activation is convex and nondecreasing. Amos, Xu and Kolter, Input convex
    neural networks, 2017, proposition 1. Computes in float32 under every dtype policy.

    Args:
        units: size of the last axis of the output.
        activation: the name of a convex and nondecreasing activation; None for none.
        hidden: whether the first argument is the output of another such layer.
        use_bias: whether to add a bias.
        kernel_initializer: the initializer of all weights.
        kernel_regularizer: the regularizer of the weights of the first argument.
        **kwargs: passed to `keras.layers.Layer`.

    Call arguments:
        inputs: the network's input, or with `hidden` the output of the previous layer.
        x: with `hidden`, optionally the network's input.

    Input shape:
        `(batch, ..., features)` of both.

    Output shape:
        `(batch, ..., units)`, float32.

    Raises:
        ValueError: an activation that is not known to be convex and nondecreasing, or a second argument without
            `hidden`.

    Example:
        >>> import numpy as np
        >>> layer = ConvexDense(1, activation="relu", kernel_initializer="ones")
        >>> np.asarray(layer(np.array([[-2.0], [3.0]], "float32"))).tolist()
        [[0.0], [3.0]]
    """

    def __init__(
        self,
        units: int,
        activation: str | None = "softplus",
        hidden: bool = False,
        use_bias: bool = True,
        kernel_initializer: object = "glorot_uniform",
        kernel_regularizer: object = None,
        **kwargs: object,
    ) -> None:
        super().__init__(units, activation, _CONVEX, use_bias, kernel_initializer, kernel_regularizer, **kwargs)
        self.hidden = bool(hidden)

    def build(self, inputs_shape: Shape, x_shape: Shape | None = None) -> None:
        """Create the weights."""
        require(self, x_shape is None or self.hidden, "a second input x goes with hidden=True; got hidden=False")
        if x_shape is not None:
            require(self, x_shape[-1] is not None, f"the number of features must be fixed; got shape {x_shape}")
            self.skip_kernel = self.add_weight(
                name="skip_kernel",
                shape=(x_shape[-1], self.units),
                dtype=precision(self),
                autocast=False,
                initializer=keras.initializers.get(keras.initializers.serialize(self.kernel_initializer)),
            )
        super().build(inputs_shape)

    @property
    def kernel(self) -> Tensor:
        """The weights of the first argument; nonnegative if that is hidden."""
        free = keras.ops.convert_to_tensor(self.free_kernel)
        return keras.ops.abs(free) if self.hidden else free

    def call(self, inputs: Tensor, x: Tensor | None = None) -> Tensor:
        """Compute `(batch, ..., units)`."""
        result = keras.ops.matmul(in_precision(self, inputs), self.kernel)
        if x is not None:
            result = result + keras.ops.matmul(in_precision(self, x), keras.ops.convert_to_tensor(self.skip_kernel))
        if self.use_bias:
            result = keras.ops.add(result, self.bias)
        return result if self.activation in (None, "linear") else self._activation(result)

    def compute_output_spec(self, inputs: Tensor, x: Tensor | None = None) -> Tensor:
        """Float32, whatever the dtype policy."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=precision(self))

    def compute_output_shape(self, inputs_shape: Shape, x_shape: Shape | None = None) -> Shape:
        """The shape of the input with `units` as its last axis."""
        return (*inputs_shape[:-1], self.units)

    def contracts(self) -> Contracts:
        """Convex; and nondecreasing in the output of the previous layer."""
        from kexport.contracts import About, Convex, Monotonic

        if not self.hidden:
            return [Convex()]
        return [Convex(), About(Monotonic(1), "inputs") if hasattr(self, "skip_kernel") else Monotonic(1)]

    def get_config(self) -> Config:
        """The constructor's arguments."""
        return {**super().get_config(), "hidden": self.hidden}
