"""An output with the sum of a reference."""

from __future__ import annotations

import keras

from kexport_layers._dense import in_precision, precision, require
from kexport_layers._types import Contracts, Shape, Tensor


@keras.saving.register_keras_serializable(package="kexport")
class ConservedSum(keras.layers.Layer):
    """Shifts `x` along the last axis, so that its sum is that of a reference.

    `y = x + (sum(reference) - sum(x)) / n` is the point of that sum nearest to `x`: the projection onto a hyperplane
    (Boyd and Vandenberghe, Convex optimization, 2004, section 8.1). Computes in float32 under every dtype policy.

    Args:
        **kwargs: passed to `keras.layers.Layer`.

    Call arguments:
        x: the values to shift.
        reference: the values whose sum is kept.

    Input shape:
        Both `(batch, ..., features)`; the reference may have another number of features.

    Output shape:
        As `x`, float32.

    Raises:
        ValueError: the number of features of `x` is not fixed, or the other axes differ.

    Example:
        >>> import numpy as np
        >>> x, reference = np.array([[1, 2, 3]], "float32"), np.array([[4, 5]], "float32")
        >>> layer = ConservedSum()
        >>> np.asarray(layer(x, reference)).tolist()
        [[2.0, 3.0, 4.0]]
    """

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.autocast = False  # else a mixed policy would round the inputs to half precision

    def build(self, x_shape: Shape, reference_shape: Shape) -> None:
        """Check the shapes."""
        shapes = f"got {tuple(x_shape)} and {tuple(reference_shape)}"
        require(self, len(x_shape) >= 2 and x_shape[-1] is not None, f"the features of x must be fixed; {shapes}")
        pairs = zip(x_shape[:-1], reference_shape[:-1], strict=False)
        fit = len(x_shape) == len(reference_shape) and all(None in pair or pair[0] == pair[1] for pair in pairs)
        require(self, fit, f"x and reference must agree in all axes but the last; {shapes}")
        super().build(x_shape)

    def call(self, x: Tensor, reference: Tensor) -> Tensor:
        """Shift `(batch, ..., features)`."""
        values, kept = in_precision(self, x), in_precision(self, reference)
        count = values.shape[-1]
        assert count is not None
        if kept.shape[-1] == count:
            # One sum of small differences is more accurate than the difference of two large sums.
            return values + keras.ops.mean(kept - values, axis=-1, keepdims=True)
        difference = keras.ops.sum(kept, axis=-1, keepdims=True) - keras.ops.sum(values, axis=-1, keepdims=True)
        return values + difference * (1.0 / count)

    def compute_output_spec(self, x: Tensor, reference: Tensor) -> Tensor:
        """Float32, whatever the dtype policy."""
        return keras.KerasTensor(x.shape, dtype=precision(self))

    def compute_output_shape(self, x_shape: Shape, reference_shape: Shape) -> Shape:
        """The shape of `x`."""
        return x_shape

    def contracts(self) -> Contracts:
        """The sum of the reference is conserved."""
        from kexport.contracts import About, Conserves

        return [About(Conserves(), "reference")]
