"""A low-pass filtered copy of the input."""

from __future__ import annotations

import math
from typing import Any

import keras

_PADDINGS = ("same", "causal", "valid")


@keras.saving.register_keras_serializable(package="kexport")
class LowPassFilter(keras.layers.Layer):
    """Filters every channel along time with one finite impulse response (FIR).

    `y[n] = sum over k of taps[k] * x[n + offset - k]`, zero outside of the signal; the offset centres the taps for
    `"same"` and is 0 for `"causal"`. Both designs give a linear phase (taps symmetric) and unit gain at DC (taps
    that sum to 1): Oppenheim and Schafer, Discrete-Time Signal Processing, 3rd edition, chapter 7.

    - Without a cut-off: the moving average, `taps[k] = 1 / kernel_size`.
    - With one: the windowed sinc of that half-amplitude (-6 dB) frequency, as `scipy.signal.firwin` designs it.

    Args:
        kernel_size: number of taps, odd.
        cutoff: cut-off frequency in Hz, below half the sample rate; None for the moving average.
        sample_rate: samples a second, in Hz; goes with `cutoff`.
        window: of the windowed sinc, by SciPy's name.
        padding: `"same"` (as long as the input, centred), `"causal"` (as long, from the past only) or `"valid"`
            (`kernel_size - 1` shorter, no zeros added).
        **kwargs: as of every Keras layer.

    Input shape:
        `(batch, time)` or `(batch, time, channels)`; batch and time may be dynamic.

    Output shape:
        As the input; time is shorter for `"valid"`. In the layer's compute dtype.

    Raises:
        ValueError: an even size, a cut-off at or above half the sample rate, a rate that is not positive, one of
            cut-off and rate without the other, an unknown padding, an input of another rank or too short.

    Example:
        >>> import numpy as np
        >>> layer = LowPassFilter(kernel_size=3)
        >>> np.asarray(layer(np.array([[0, 3, 0, 0]], "float32"))).tolist()
        [[1.0, 1.0, 1.0, 0.0]]
    """

    def __init__(
        self,
        kernel_size: int = 5,
        cutoff: float | None = None,
        sample_rate: float | None = None,
        window: str = "hamming",
        padding: str = "same",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _require(
            isinstance(kernel_size, int) and kernel_size > 0 and kernel_size % 2 == 1,
            f"kernel_size must be a positive odd number, so that the filter has a centre; got {kernel_size!r}",
        )
        _require(padding in _PADDINGS, f"padding must be one of {', '.join(_PADDINGS)}; got {padding!r}")
        _require_frequencies(cutoff, sample_rate)
        self.kernel_size = kernel_size
        self.cutoff = None if cutoff is None else float(cutoff)
        self.sample_rate = None if sample_rate is None else float(sample_rate)
        self.window = window
        self.padding = padding
        self.taps = _design(kernel_size, self.cutoff, self.sample_rate, window)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check rank and length of the input."""
        _require(
            len(input_shape) in (2, 3),
            f"the input must be (batch, time) or (batch, time, channels); got shape {tuple(input_shape)}",
        )
        time = input_shape[1]
        _require(
            self.padding != "valid" or time is None or time >= self.kernel_size,
            f"with padding 'valid' the input needs at least {self.kernel_size} time steps; got {time}",
        )
        _require(len(input_shape) == 2 or input_shape[2] is not None, "the number of channels must be fixed; got None")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        """Filter `(batch, time)` or `(batch, time, channels)`."""
        single = len(inputs.shape) == 2
        signal = keras.ops.expand_dims(inputs, -1) if single else inputs
        if self.padding == "causal":
            signal = keras.ops.pad(signal, [[0, 0], [self.kernel_size - 1, 0], [0, 0]])
        channels = signal.shape[-1]
        # Convolution layers correlate: they do not flip the kernel. Symmetric taps need no flip.
        taps = keras.ops.reshape(keras.ops.convert_to_tensor(self.taps, dtype=signal.dtype), (-1, 1, 1))
        padding = "same" if self.padding == "same" else "valid"
        if channels == 1:
            filtered = keras.ops.conv(signal, taps, padding=padding)
        else:
            kernel = keras.ops.tile(taps, (1, channels, 1))
            filtered = keras.ops.depthwise_conv(signal, kernel, padding=padding)
        return keras.ops.squeeze(filtered, -1) if single else filtered

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the input, shorter in time for `"valid"`."""
        batch, time, *channels = input_shape
        if self.padding == "valid" and time is not None:
            time -= self.kernel_size - 1
        return (batch, time, *channels)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the taps follow from them."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "cutoff": self.cutoff,
            "sample_rate": self.sample_rate,
            "window": self.window,
            "padding": self.padding,
        }


def _require_frequencies(cutoff: float | None, sample_rate: float | None) -> None:
    if cutoff is None and sample_rate is None:
        return
    _require(cutoff is not None, "a sample_rate goes with a cutoff in Hz; got no cutoff")
    _require(sample_rate is not None, "a cutoff in Hz needs the sample_rate in Hz; got no sample_rate")
    assert cutoff is not None
    assert sample_rate is not None
    _require(
        math.isfinite(sample_rate) and sample_rate > 0,
        f"sample_rate must be a positive number of Hz; got {sample_rate}",
    )
    _require(cutoff > 0, f"cutoff must be a positive number of Hz; got {cutoff}")
    _require(
        cutoff < sample_rate / 2,
        f"cutoff must lie below half the sample rate, {sample_rate / 2:g} Hz (Nyquist); got {cutoff:g} Hz",
    )


def _design(kernel_size: int, cutoff: float | None, sample_rate: float | None, window: str) -> tuple[float, ...]:
    if cutoff is None:
        return (1.0 / kernel_size,) * kernel_size
    from scipy.signal import firwin  # a second of import that the moving average does not need

    return tuple(float(tap) for tap in firwin(kernel_size, cutoff, fs=sample_rate, window=window))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(f"LowPassFilter: {message}")
