"""A low-pass filter as a model."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import keras

DOMAINS = {"signal": "uniform(-5, 5)"}


def lowpass(
    kernel_size: int = 5,
    cutoff: float | None = None,
    sample_rate: float | None = None,
    padding: Literal["same", "causal", "valid"] = "same",
) -> "keras.Model":
    """A FIR low-pass filter over `(batch, time)`, both dynamic; a moving average unless a cut-off is set.

    Args:
        kernel_size: number of taps, odd.
        cutoff: cut-off frequency in Hz.
        sample_rate: samples a second, in Hz.
        padding: `same`, `causal` or `valid`.
    """
    import keras

    from kexport_layers.low_pass_filter import LowPassFilter

    signal = keras.Input((None,), name="signal")
    layer = LowPassFilter(kernel_size, cutoff, sample_rate, padding=padding, name="filtered")
    return keras.Model(signal, layer(signal), name="lowpass")
