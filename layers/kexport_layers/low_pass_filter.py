"""A low-pass filter along time."""

from __future__ import annotations

import math

import keras

import kexport_layers._fir as _fir
from kexport_layers._types import Config, Contracts, Shape, Tensor

_DEFAULT_SIZE, _DEFAULT_WINDOW = 5, "hamming"
_PADDINGS = ("same", "causal", "valid")


@keras.saving.register_keras_serializable(package="kexport")
class LowPassFilter(keras.layers.Layer):
    """Filters every channel along time with one finite impulse response (FIR).

    `y[n] = sum over k of taps[k] * x[n + offset - k]`, zero outside the signal; the offset centres the taps for
    `"same"` and is 0 for `"causal"`. All designs have linear phase (symmetric taps) and unit gain at DC (taps that
    sum to 1): Oppenheim and Schafer, Discrete-Time Signal Processing, 3rd edition, chapter 7.

    - Without a cut-off: the moving average, `taps[k] = 1 / kernel_size`.
    - With one: the windowed sinc of that half-amplitude (-6 dB) frequency, as `scipy.signal.firwin` designs it.
    - By specification: the fewest taps of a Kaiser window whose gain stays within `10^(-attenuation/20)` of 1 up to
      `pass_band`, and of 0 from `stop_band` on.

    It computes in float32 where its compute dtype has half precision, whose 11 bits are too few for the taps. It
    promises `LinearTimeInvariant` with its taps, for all samples of the signal, and `LowPass` with the bands of its
    design. A filter that stops nothing, such as a single tap, promises no `LowPass`.

    Args:
        kernel_size: number of taps, odd; by default 5, or as many as a specification needs.
        cutoff: cut-off frequency in Hz, below half the sample rate; None for the moving average.
        sample_rate: samples per second, in Hz; required with `cutoff` and with a specification.
        window: the window of the windowed sinc, as SciPy names it.
        padding: `"same"` (as long as the input, centred), `"causal"` (as long, from the past only) or `"valid"`
            (`kernel_size - 1` shorter, no zeros added).
        pass_band: upper edge of the pass band in Hz; with the next two it makes up a specification.
        stop_band: lower edge of the stop band in Hz, at most half the sample rate.
        attenuation: the attenuation of the stop band in dB, from 10 to 120.
        **kwargs: passed to `keras.layers.Layer`.

    Input shape:
        `(batch, time)` or `(batch, time, channels)`; batch and time may be dynamic.

    Output shape:
        As the input; time is shorter for `"valid"`. In the layer's compute dtype.

    Raises:
        ValueError: an even size, a cut-off at or above half the sample rate, a rate that is not positive, one of
            cut-off and rate without the other, an unknown padding, an input of another rank or too short; a
            specification that is not complete, not in order, or that so many taps cannot keep.

    Example:
        >>> import numpy as np
        >>> layer = LowPassFilter(kernel_size=3)
        >>> np.asarray(layer(np.array([[0, 3, 0, 0]], "float32"))).tolist()
        [[1.0, 1.0, 1.0, 0.0]]
    """

    def __init__(
        self,
        kernel_size: int | None = None,
        cutoff: float | None = None,
        sample_rate: float | None = None,
        window: str = _DEFAULT_WINDOW,
        padding: str = "same",
        pass_band: float | None = None,
        stop_band: float | None = None,
        attenuation: float | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        _require(
            kernel_size is None or (isinstance(kernel_size, int) and kernel_size > 0 and kernel_size % 2 == 1),
            f"kernel_size must be a positive odd number, so that the filter has a centre; got {kernel_size!r}",
        )
        _require(padding in _PADDINGS, f"padding must be one of {', '.join(_PADDINGS)}; got {padding!r}")
        self.cutoff, self.sample_rate = _number(cutoff), _number(sample_rate)
        self.pass_band, self.stop_band, self.attenuation = map(_number, (pass_band, stop_band, attenuation))
        self.window = window
        self.padding = padding
        self.taps = self._design(kernel_size)
        self.kernel_size = len(self.taps)

    def _design(self, size: int | None) -> tuple[float, ...]:
        if (self.pass_band, self.stop_band, self.attenuation) == (None, None, None):
            _require_frequencies(self.cutoff, self.sample_rate)
            if self.cutoff is None or self.sample_rate is None:
                return _fir.moving_average(size or _DEFAULT_SIZE)
            return _fir.windowed_sinc(size or _DEFAULT_SIZE, self.cutoff, self.sample_rate, self.window)
        rate = _require_specification(self)
        try:
            return _fir.by_specification(self._specified(), rate, size)
        except ValueError as error:
            raise ValueError(f"LowPassFilter: {error}") from None

    def _specified(self) -> _fir.Bands:
        assert self.pass_band is not None
        assert self.stop_band is not None
        assert self.attenuation is not None
        return _fir.specified(self.pass_band, self.stop_band, self.attenuation)

    def build(self, input_shape: Shape) -> None:
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

    def call(self, inputs: Tensor) -> Tensor:
        """Filter `(batch, time)` or `(batch, time, channels)`."""
        single = len(inputs.shape) == 2
        signal = keras.ops.expand_dims(inputs, -1) if single else inputs
        half = keras.backend.standardize_dtype(inputs.dtype) in ("float16", "bfloat16")
        if half:
            signal = keras.ops.cast(signal, "float32")
        if self.padding == "causal":
            signal = keras.ops.pad(signal, [[0, 0], [self.kernel_size - 1, 0], [0, 0]])
        channels = signal.shape[-1]
        # Convolution layers correlate: they do not flip the kernel, and symmetric taps need no flip.
        taps = keras.ops.reshape(keras.ops.convert_to_tensor(self.taps, dtype=signal.dtype), (-1, 1, 1))
        padding = "same" if self.padding == "same" else "valid"
        if channels == 1:
            filtered = keras.ops.conv(signal, taps, padding=padding)
        else:
            kernel = keras.ops.tile(taps, (1, channels, 1))
            filtered = keras.ops.depthwise_conv(signal, kernel, padding=padding)
        if half:
            filtered = keras.ops.cast(filtered, inputs.dtype)
        return keras.ops.squeeze(filtered, -1) if single else filtered

    def contracts(self) -> Contracts:
        """A convolution, and the bands that it keeps."""
        from kexport.contracts import LinearTimeInvariant, LowPass

        size = self.kernel_size
        advance = {"same": size // 2, "causal": 0, "valid": size - 1}[self.padding]
        filters = LinearTimeInvariant(self.taps, advance)
        rate = self.sample_rate or 1.0
        bands = _fir.measured(self.taps, rate) if self.pass_band is None else self._specified()
        if bands is None:
            return [filters]
        return [filters, LowPass(bands.pass_band, bands.stop_band, bands.ripple, bands.attenuation, rate)]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the input, shorter in time for `"valid"`."""
        batch, time, *channels = input_shape
        if self.padding == "valid" and time is not None:
            time -= self.kernel_size - 1
        return (batch, time, *channels)

    def get_config(self) -> Config:
        """The constructor's arguments; the taps follow from them."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "cutoff": self.cutoff,
            "sample_rate": self.sample_rate,
            "window": self.window,
            "padding": self.padding,
            "pass_band": self.pass_band,
            "stop_band": self.stop_band,
            "attenuation": self.attenuation,
        }


def _require_specification(layer: LowPassFilter) -> float:
    """The sample rate of a layer, once its specification is checked."""
    edges = (layer.pass_band, layer.stop_band, layer.attenuation)
    _require(None not in edges, f"a specification has pass_band, stop_band and attenuation; got {edges}")
    _require(layer.cutoff is None, f"a specification says where the filter cuts off; got a cutoff, {layer.cutoff} Hz")
    _require(layer.window == _DEFAULT_WINDOW, f"a specification chooses its window, Kaiser's; got {layer.window!r}")
    rate = layer.sample_rate
    _require(rate is not None, "a specification in Hz needs the sample_rate in Hz; got no sample_rate")
    low, high, attenuation = (value or 0.0 for value in edges)
    assert rate is not None
    _require(
        math.isfinite(rate) and 0 < low < high <= rate / 2,
        f"0 < pass_band < stop_band <= half the sample rate, {rate / 2:g} Hz, must hold; got {low:g} and {high:g} Hz",
    )
    least, most = _fir.LEAST_ATTENUATION, _fir.MOST_ATTENUATION
    _require(least <= attenuation <= most, f"attenuation must be from {least:g} to {most:g} dB; got {attenuation:g} dB")
    return rate


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


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


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(f"LowPassFilter: {message}")
