"""Small precisions of a filter on a recorded electrocardiogram: how near to the truth, and how well calibrated.

    python scripts/benchmark_precisions.py [--choices 50] [--seed 0]

The low-pass of 31 taps runs on windows of `pywt.data.ecg()`; 360 Hz is assumed. A part of them calibrates, the others
check. Beside kexport's artifact of int8, TensorFlow's converter makes one for each of many random choices of windows to
calibrate on; the figure of each is the ratio of signal to noise, in LiteRT, over the windows that check. Exit code 1
when a limit is missed. Needs `kexport[build]` and PyWavelets.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import measurements

SETTINGS = {"kernel_size": "31", "cutoff": "40", "sample_rate": "360"}
WINDOW, STEP = 256, 16
LEAST = {"float16": 80.0, "int16x8": 65.0, "int8": 40.0}  # dB
MOST_BEHIND = 3.0  # dB, of int8 behind the best choice
Windows = npt.NDArray[np.float32]


def windows() -> Windows:
    """Overlapping windows of the recording, each of its own samples in time."""
    import pywt

    signal = np.asarray(pywt.data.ecg(), np.float32)
    return np.stack([signal[start : start + WINDOW] for start in range(0, len(signal) - WINDOW + 1, STEP)])


def ratio(truth: npt.NDArray[Any], outputs: npt.NDArray[Any]) -> float:
    """Signal to noise in dB."""
    noise = np.square(np.asarray(outputs, np.float64) - truth).sum()
    return float(10 * np.log10(np.square(truth).sum() / noise)) if noise else float("inf")


def converted(saved_model: Path, chosen: Windows) -> bytes:
    """TensorFlow's artifact of int8, calibrated on these windows, with floats at its ends."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([window[None]] for window in chosen)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return bytes(converter.convert())


def answered(content: bytes, inputs: Windows) -> npt.NDArray[Any]:
    """The outputs of a TFLite file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], inputs)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(made["index"]))


def choices(
    saved_model: Path, calibrating: Windows, checked: Windows, truth: Any, count: int, seed: int
) -> list[float]:
    """The ratio of each random choice of windows to calibrate on, from one of them to all."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        chosen = rng.choice(len(calibrating), rng.integers(1, len(calibrating) + 1), replace=False)
        found.append(ratio(truth, answered(converted(saved_model, calibrating[chosen]), checked)))
    return found


def measure(folder: Path, count: int, seed: int) -> tuple[dict[str, float], Sequence[float]]:
    """The ratio of each of kexport's artifacts, the least over formats; and those of the choices."""
    import kexport

    bundle = kexport.build(
        "lowpass", folder / "ecg", settings=SETTINGS, formats=["onnx", "tflite", "saved_model"], samples=windows(),
        precision=list(LEAST),
    )  # fmt: skip
    # Whether it passed does not matter: integers that are calibrated on samples alone need not keep a promise beyond.
    recorded = np.load(bundle.path / "samples.npz")
    checked, calibrating = recorded["check/signal"], recorded["calibration/signal"]
    taps = np.asarray(bundle.manifest.contracts[0].params["taps"])
    half = len(taps) // 2
    truth = np.stack([np.convolve(np.pad(each.astype(np.float64), half), taps, "valid") for each in checked])
    ratios: dict[str, float] = {}
    for artifact in bundle.manifest.artifacts:
        if artifact.precision in LEAST:
            runtime = "litert" if artifact.format == "tflite" else "onnxruntime"
            with kexport.load(bundle.path, runtime, precision=artifact.precision) as model:
                measured = ratio(truth, model(checked))
            print(f"{artifact.path:<22}{measured:>8.1f} dB, at least {LEAST[artifact.precision]:.0f}")
            ratios[artifact.precision] = min(measured, ratios.get(artifact.precision, np.inf))
    return ratios, choices(bundle.path / "saved_model", calibrating, checked, truth, count, seed)


def main() -> int:
    """Measure, print, and return the exit code."""
    options = measurements.parser(__doc__)
    options.add_argument("--choices", type=int, default=50, help="of windows to calibrate on (%(default)s)")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    measurements.quiet_environment()
    with tempfile.TemporaryDirectory() as folder, measurements.muted():
        ratios, others = measure(Path(folder), given.choices, given.seed)
    print(
        f"int8 of {len(others)} random choices: {min(others):.1f} to {max(others):.1f} dB,"
        f" median {np.median(others):.1f}; ours {ratios['int8']:.1f}, at most {MOST_BEHIND:.0f} below the best"
    )
    missed = [name for name, least in LEAST.items() if ratios[name] < least]
    missed += ["calibration"] * (ratios["int8"] < max(others) - MOST_BEHIND)
    print("missed: " + ", ".join(missed) if missed else "within all limits")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
