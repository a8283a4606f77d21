"""A regulariser that penalises high frequencies."""

from __future__ import annotations

import math

import keras
import numpy as np

from kexport_layers._types import Array, Config, Tensor


@keras.saving.register_keras_serializable(package="kexport")
class HighFrequencyEnergy(keras.regularizers.Regularizer):
    """Penalises the energy of a tensor above a cut-off frequency, along one axis.

    `strength` times the sum of `|X(f)|^2 / n` over the frequencies f above the cut-off, where X is the discrete
    Fourier transform along the axis, over both signs of f; the total energy is `sum x^2` (Parseval's theorem:
    Oppenheim and Schafer, Discrete-Time Signal Processing, 3rd edition, section 8.6). As a kernel regulariser it
    smooths the kernel of a convolution along time (axis 0); as an activity regulariser, which Keras divides by the
    batch, it smooths the output of a layer along time (axis 1). It affects training and leaves nothing in an artifact.

    Args:
        cutoff: the cut-off frequency in Hz, from 0 to half the sample rate.
        sample_rate: samples per second, in Hz.
        strength: the strength of the penalty.
        axis: the time axis; its size must be fixed.

    Raises:
        ValueError: a number is not finite and positive, the cut-off is not below half the sample rate, or a tensor has
            no such axis of fixed size.

    Example:
        >>> import numpy as np
        >>> regularizer = HighFrequencyEnergy(cutoff=0.2, strength=1.0)
        >>> float(regularizer(np.array([1, -1, 1, -1], "float32")))
        4.0
    """

    def __init__(self, cutoff: float, sample_rate: float = 1.0, strength: float = 1e-3, axis: int = 0) -> None:
        numbers = {"cutoff": cutoff, "sample_rate": sample_rate, "strength": strength}
        for name, number in numbers.items():
            if not isinstance(number, int | float) or not math.isfinite(number) or number <= 0:
                raise ValueError(f"HighFrequencyEnergy: {name} must be a positive number; got {number!r}")
        if not cutoff < sample_rate / 2:
            raise ValueError(
                f"HighFrequencyEnergy: cutoff must lie below half the sample rate, {sample_rate / 2:g} Hz; got {cutoff}"
            )
        if not isinstance(axis, int):
            raise ValueError(f"HighFrequencyEnergy: axis must be an integer; got {axis!r}")
        self.cutoff, self.sample_rate, self.strength = float(cutoff), float(sample_rate), float(strength)
        self.axis = axis

    def __call__(self, x: Tensor) -> Tensor:
        """The penalty of a tensor, a scalar."""
        rank = len(x.shape)
        size = x.shape[self.axis] if -rank <= self.axis < rank else None
        if size is None:
            raise ValueError(
                f"HighFrequencyEnergy: the tensor needs an axis {self.axis} of fixed size; got shape {tuple(x.shape)}"
            )
        # In half precision the sum of squares soon overflows.
        if keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16"):
            x = keras.ops.cast(x, "float32")
        moved = keras.ops.moveaxis(x, self.axis, -1)
        # The energy is a quadratic form, x H x, whose H passes only the high frequencies.
        high = keras.ops.convert_to_tensor(self._high(size), dtype=moved.dtype)
        return self.strength * keras.ops.sum(moved * keras.ops.matmul(moved, high))

    def _high(self, size: int) -> Array:
        """The matrix that passes only frequencies above the cut-off, of shape (size, size)."""
        beyond = np.abs(np.fft.fftfreq(size, 1 / self.sample_rate)) > self.cutoff
        return np.fft.ifft(beyond[:, None] * np.fft.fft(np.eye(size), axis=0), axis=0).real

    def get_config(self) -> Config:
        """The constructor's arguments."""
        names = ("cutoff", "sample_rate", "strength", "axis")
        return {name: getattr(self, name) for name in names}
