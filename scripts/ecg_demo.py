"""A real electrocardiogram through `lowpass` in every runtime, by the command line, against SciPy's own filtering.

    python scripts/ecg_demo.py --out artifacts/ecg --plot docs/ecg.png

The recording is `pywt.data.ecg()`: 1024 samples; 360 Hz is assumed. Exits with 1 when a runtime is further from
SciPy than a few units in the last place of float32.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

RUNTIMES = ("keras", "saved_model", "onnxruntime", "litert", "litert_reference")
RATE, CUTOFF, TAPS = 360, 40, 31
ULP = 2.0**-23
LIMIT = 4  # units in the last place of the largest value; each output is a sum of 31 rounded products

Signal = npt.NDArray[Any]


def kexport(*arguments: object) -> None:
    """Run the command line, which prints what it does."""
    subprocess.run([sys.executable, "-m", "kexport", *map(str, arguments)], check=True)


def filtered_by_scipy(signal: Signal) -> Signal:
    """The same filter in float64: zeros outside of the signal, the delay of the linear phase taken out."""
    from scipy.signal import firwin, lfilter

    delay = TAPS // 2
    taps = firwin(TAPS, CUTOFF, fs=RATE)
    return np.asarray(lfilter(taps, 1.0, np.concatenate([signal, np.zeros(delay)])))[delay:]


def draw(path: Path, signal: Signal, truth: Signal, results: dict[str, Signal], scale: float) -> None:
    """Two panels: the recording with its filtered copy, and the distance of every runtime from SciPy."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    time = np.arange(len(signal)) / RATE
    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 5), sharex=True, height_ratios=(2, 1), layout="constrained")
    above.plot(time, signal, color="0.72", linewidth=1, label="recording")
    above.plot(time, truth, color="#c0392b", linewidth=1.4, label=f"filtered, {TAPS} taps, {CUTOFF} Hz")
    above.set_ylabel("amplitude (units of the recording)")
    above.legend(frameon=False, loc="upper right", ncols=2)
    for name, result in results.items():
        below.plot(time, np.abs(result - truth) / (ULP * scale), linewidth=0.8, label=name)
    below.set(xlabel="time (s)", ylabel="error from SciPy\n(float32 ulp of scale)", xlim=(0, time[-1]), ylim=(0, 1.2))
    below.legend(frameon=False, loc="upper right", ncols=len(results), fontsize=8)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> int:
    """Build, run in every runtime, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("artifacts/ecg"))
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()

    import pywt

    signal = np.asarray(pywt.data.ecg(), dtype="float64")
    arguments.out.mkdir(parents=True, exist_ok=True)
    source, bundle = arguments.out / "ecg.csv", arguments.out / "bundle"
    np.savetxt(source, signal, fmt="%g")
    settings = {"kernel_size": TAPS, "cutoff": CUTOFF, "sample_rate": RATE}
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    domain = f"signal=uniform({signal.min():g}, {signal.max():g})"
    kexport("build", "--model", "lowpass", *options, "--domain", domain, "--out", bundle)

    truth = filtered_by_scipy(signal)
    scale = float(np.abs(truth).max())
    results = {}
    for name in RUNTIMES:
        output = arguments.out / f"{name}.npy"
        kexport("run", bundle, "--input", source, "--runtime", name, "--output", output)
        results[name] = np.load(output)[0]
    worst = {name: float(np.abs(result - truth).max() / (ULP * scale)) for name, result in results.items()}
    for name, figure in worst.items():
        print(f"{name:<17} at most {figure:.2f} float32 ulp of scale from SciPy (limit {LIMIT})")
    if arguments.plot:
        draw(arguments.plot, signal, truth, results, scale)
    return 0 if max(worst.values()) <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
