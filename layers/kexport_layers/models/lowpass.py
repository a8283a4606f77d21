"""A low-pass filter as a model."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import keras

DOMAINS = {"signal": "uniform(-5, 5)"}


def lowpass(
    kernel_size: int | None = None,
    cutoff: float | None = None,
    sample_rate: float | None = None,
    padding: Literal["same", "causal", "valid"] = "same",
    pass_band: float | None = None,
    stop_band: float | None = None,
    attenuation: float | None = None,
) -> "keras.Model":
    """A FIR low-pass filter over `(batch, time)`, both dynamic; a moving average unless frequencies are set.

    Either `cutoff`, or `pass_band`, `stop_band` and `attenuation`; both go with `sample_rate`.

    Args:
        kernel_size: number of taps, odd; by default 5, or as many as the bands need.
        cutoff: cut-off frequency in Hz.
        sample_rate: samples per second, in Hz.
        padding: `same`, `causal` or `valid`.
        pass_band: frequency in Hz up to which the signal passes.
        stop_band: frequency in Hz from which it is stopped.
        attenuation: the attenuation of what is stopped, in dB.
    """
    import keras

    from kexport_layers.low_pass_filter import LowPassFilter

    signal = keras.Input((None,), name="signal")
    layer = LowPassFilter(
        kernel_size,
        cutoff,
        sample_rate,
        padding=padding,
        pass_band=pass_band,
        stop_band=stop_band,
        attenuation=attenuation,
        name="filtered",
    )
    return keras.Model(signal, layer(signal), name="lowpass")
