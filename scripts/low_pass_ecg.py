"""Measure the stop band of a low-pass filter for electrocardiograms in every runtime, next to SciPy's `freqz`.

    python scripts/low_pass_ecg.py                  # every runtime has the stop band of the design: exits with 0
    python scripts/low_pass_ecg.py --plots plots    # also plots the frequency response in every runtime
    python scripts/low_pass_ecg.py --break          # one tap is off by 1 %: exits with 1

The recording is `pywt.data.ecg()`: 1024 samples; 360 Hz is assumed. Its range is the domain. Each gain of the table is
measured: a sine of full amplitude goes through the artifact, and a sine is fitted to the output by least squares.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

RATE, CUTOFF, TAPS = 360, 40, 31
FREQUENCIES = (0, 10, 20, 30, 40, 50, 60, 70, 80, 100, 120, 140, 160, 180)
SWEEP = tuple(range(RATE // 2 + 1))
STOP_BAND = 60  # Hz, the mains frequency of half the world
#: The tolerance of a measured gain above the floor; below the floor, float32 noise dominates the measurement.
TOLERANCE_DB, FLOOR_DB = 0.01, -80.0

Array = npt.NDArray[Any]


def filter_model(broken: bool) -> Any:
    """The filter; if `broken`, it convolves with a table of taps in which one is wrong, but promises the same."""
    import keras

    from kexport_layers.low_pass_filter import LowPassFilter

    @keras.saving.register_keras_serializable(package="examples")
    class TabulatedLowPassFilter(LowPassFilter):
        def call(self, inputs: Any) -> Any:
            table = np.array(self.taps, "float32").reshape(-1, 1, 1)
            table[len(table) // 2] *= 1.01
            return keras.ops.conv(inputs[..., None], table, padding="same")[..., 0]

    layer = TabulatedLowPassFilter if broken else LowPassFilter
    signal = keras.Input((None,), name="signal")
    return keras.Model(signal, layer(TAPS, CUTOFF, RATE, name="filtered")(signal), name="low_pass_ecg")


def gains(model: Any, amplitude: float, frequencies: Sequence[float] = FREQUENCIES) -> Array:
    """Gains in dB at these frequencies in Hz, measured away from the ends of the signals."""
    time = np.arange(1024)
    angles = 2 * np.pi * np.outer(frequencies, time) / RATE
    answers = np.asarray(model((amplitude * np.cos(angles)).astype("float32")), "float64")
    inside = slice(TAPS, -TAPS)
    found = []
    for angle, answer in zip(angles[:, inside], answers[:, inside], strict=True):
        waves = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        cosine, sine = np.linalg.lstsq(waves, answer, rcond=1e-6)[0]
        found.append(20 * np.log10(np.hypot(cosine, sine) / amplitude))
    return np.array(found)


def gains_by_scipy(frequencies: Sequence[float] = FREQUENCIES) -> Array:
    """Gains in dB at these frequencies in Hz, from the same design in float64."""
    from scipy.signal import firwin, freqz

    return np.asarray(20 * np.log10(np.abs(freqz(firwin(TAPS, CUTOFF, fs=RATE), worN=frequencies, fs=RATE)[1])))


def share_above(signal: Array, frequency: float) -> float:
    """The share of a signal's energy, without its mean, in dB."""
    spectrum = np.abs(np.fft.rfft((signal - signal.mean()) * np.hanning(len(signal)))) ** 2
    above = np.fft.rfftfreq(len(signal), 1 / RATE) >= frequency
    return float(10 * np.log10(spectrum[above].sum() / spectrum.sum()))


def table(expected: Array, measured: dict[str, Array]) -> None:
    """Print the gains, and mark where a runtime differs from SciPy."""
    print(f"\n{'gain in dB':>10}  {'SciPy':>9}" + "".join(f"  {name:>16}" for name in measured))
    for row, frequency in enumerate(FREQUENCIES):
        marks = [_text(gain[row]) + ("" if same(expected, gain)[row] else " *") for gain in measured.values()]
        print(f"{frequency:>7} Hz  {_text(expected[row]):>9}" + "".join(f"  {mark:>16}" for mark in marks))
    if not all(same(expected, gain).all() for gain in measured.values()):
        print(f"* more than {TOLERANCE_DB} dB from SciPy")


def _text(gain: float) -> str:
    return f"{round(float(gain), 3) + 0.0:.3f}"  # avoids -0.000


def same(expected: Array, gain: Array) -> Array:
    """Where a gain equals SciPy's; below the floor it only has to be below the floor too."""
    return np.where(expected > FLOOR_DB, np.abs(gain - expected) <= TOLERANCE_DB, gain <= FLOOR_DB + 1)


def draw(path: Path, measured: dict[str, Array]) -> None:
    """Plot the gain of every runtime at the frequencies of `SWEEP`, and SciPy's."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    axes.plot(SWEEP, gains_by_scipy(SWEEP), color="0.75", linewidth=4, label="SciPy's freqz")
    for name, gain in measured.items():
        axes.plot(SWEEP, gain, linewidth=0.9, label=name)
    axes.axvspan(STOP_BAND, RATE / 2, color="#c0392b", alpha=0.06)
    axes.set(xlabel="frequency (Hz)", ylabel="gain (dB)", xlim=(0, RATE / 2), ylim=(-110, 5))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right", fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    print(f"plotted: {path}")


def main() -> int:
    """Build, measure, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("artifacts/low_pass_ecg"))
    parser.add_argument("--formats", help="by default all")
    parser.add_argument("--plots", type=Path, help="folder for the plot")
    parser.add_argument("--break", dest="broken", action="store_true", help="change one tap by 1 %%")
    arguments = parser.parse_args()

    import pywt

    import kexport
    from kexport.reports import terminal

    recording = np.asarray(pywt.data.ecg(), "float32")
    domain = {"signal": (float(recording.min()), float(recording.max()))}
    formats = arguments.formats.split(",") if arguments.formats else None
    bundle = kexport.build(filter_model(arguments.broken), arguments.out, formats=formats, domain=domain)
    terminal.show(bundle.report, bundle, sys.stdout)

    expected, measured, swept, after = gains_by_scipy(), {}, {}, []
    amplitude = float(np.abs(recording).max())
    for name in [check.runtime or "" for check in bundle.report.checks if check.compared]:
        model = kexport.load(bundle.path, name)
        measured[name] = gains(model, amplitude)
        if arguments.plots:
            swept[name] = gains(model, amplitude, SWEEP)
        after.append(share_above(model(recording[None])[0], STOP_BAND))
    table(expected, measured)
    before = share_above(recording, STOP_BAND)
    print(f"energy above {STOP_BAND} Hz: {before:.1f} dB in the recording, at most {max(after):.1f} dB after filtering")
    if arguments.plots:
        draw(arguments.plots / "low_pass_ecg.png", swept)
    return bundle.report.exit_code or int(not all(same(expected, gain).all() for gain in measured.values()))


if __name__ == "__main__":
    raise SystemExit(main())
