"""A dense layer whose output changes by at most a bound times the change of its input."""

from __future__ import annotations

import math

import keras

from kexport_layers._dense import Activations, ConstrainedDense, require
from kexport_layers._types import Config, Contracts, Tensor

_GENTLE = Activations(
    (
        "linear",
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "softplus",
        "softsign",
        "sigmoid",
        "hard_sigmoid",
        "tanh",
    ),
    "which have a slope of at most 1",
)
# The largest singular value, computed in float32, may be a few units in the last place too small.
_SAFETY = 1 - 2.0**-17


@keras.saving.register_keras_serializable(package="kexport")
class LipschitzDense(ConstrainedDense):
    """A dense layer with `|y - y'| <= bound |x - x'|` in the 2-norm.

    `y = activation(x kernel + bias)`: where the largest singular value of the free kernel exceeds the bound, the kernel
    is scaled down to it; the activation has a slope of at most 1. Gouk, Frank, Pfahringer and Cree,
    Regularisation of neural networks by enforcing Lipschitz continuity, 2021. Computes in float32 under every dtype
    policy. In ONNX and TFLite the kernel is a constant.

    Args:
        units: size of the last axis of the output.
        bound: the Lipschitz constant.
        activation: the name of an activation with a slope of at most 1; None for none.
        use_bias: whether to add a bias.
        kernel_initializer: the initializer of the free kernel.
        kernel_regularizer: the regularizer of the free kernel.
        **kwargs: passed to `keras.layers.Layer`.

    Input shape:
        `(batch, ..., features)`.

    Output shape:
        `(batch, ..., units)`, float32.

    Raises:
        ValueError: the bound is not positive, or the activation is not known to have a slope of at most 1.

    Example:
        >>> import numpy as np
        >>> layer = LipschitzDense(1, bound=0.5, kernel_initializer="ones")
        >>> np.asarray(layer(np.array([[2.0]], "float32"))).round(3).tolist()
        [[1.0]]
    """

    def __init__(
        self,
        units: int,
        bound: float = 1.0,
        activation: str | None = None,
        use_bias: bool = True,
        kernel_initializer: object = "glorot_uniform",
        kernel_regularizer: object = None,
        **kwargs: object,
    ) -> None:
        super().__init__(units, activation, _GENTLE, use_bias, kernel_initializer, kernel_regularizer, **kwargs)
        valid = isinstance(bound, int | float) and math.isfinite(bound) and bound > 0
        require(self, valid, f"bound must be a positive number; got {bound!r}")
        self.bound = float(bound)

    @property
    def kernel(self) -> Tensor:
        """The free kernel, scaled down where its 2-norm exceeds the bound."""
        free = keras.ops.convert_to_tensor(self.free_kernel)
        norm = keras.ops.max(keras.ops.svd(free, full_matrices=False, compute_uv=False))
        most = self.bound * _SAFETY
        return free * (most / keras.ops.maximum(norm, most))

    def contracts(self) -> Contracts:
        """Lipschitz in the 2-norm, with the bound."""
        from kexport.contracts import Lipschitz

        return [Lipschitz(self.bound, 2)]

    def get_config(self) -> Config:
        """The constructor's arguments."""
        return {**super().get_config(), "bound": self.bound}
