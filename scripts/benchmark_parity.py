"""What parity on many samples costs, as a ratio to the raw runtime on the same samples, and how much memory it takes.

    python scripts/benchmark_parity.py [--samples 10000] [--repeats 5] [--write]

Builds bundles whose domain is a recording, and times two things in turns, in one process: the check of every golden as
`verify` does it (reading, running, comparing with the truth), and the raw runtime on the same batches in memory. Memory
is the peak of a separate process that checks a tenth of the samples, or all. Exit code 1 when a limit is missed on a
model that takes a microsecond a sample or more: below that, a comparison of float64 numbers is more work than the
model. `--write` puts the table into docs/faults.json and its page. Needs `kexport[build]`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measurements import Measurements

TIME_LIMIT, MEMORY_LIMIT = 1.25, 1.1
LEAST_MICROSECONDS = 1.0
RUNTIMES = ("onnxruntime", "litert")


def models() -> dict[str, Callable[[], tuple[Any, tuple[int, ...]]]]:
    """For each model, its name, the function that creates it, and the shape of one sample."""
    import keras
    from keras import layers

    import kexport_layers.models.lowpass

    def convolutions() -> tuple[Any, tuple[int, ...]]:
        x = y = keras.Input((32, 32, 3), name="image")
        for filters in (16, 32):
            y = layers.MaxPooling2D()(layers.Conv2D(filters, 3, padding="same", activation="relu")(y))
        return keras.Model(x, layers.Dense(10, activation="softmax", name="y")(layers.Flatten()(y))), (32, 32, 3)

    def recurrent() -> tuple[Any, tuple[int, ...]]:
        x = keras.Input((32, 8), name="series")
        return keras.Model(x, layers.Dense(1, name="y")(layers.LSTM(16)(x))), (32, 8)

    def dense() -> tuple[Any, tuple[int, ...]]:
        x = y = keras.Input((64,), name="x")
        for units in (128, 128):
            y = layers.Dense(units, activation="relu")(y)
        return keras.Model(x, layers.Dense(10, name="y")(y)), (64,)

    def filtered() -> tuple[Any, tuple[int, ...]]:
        return kexport_layers.models.lowpass.lowpass(kernel_size=31, cutoff=40.0, sample_rate=360.0), (256,)

    return {"convolutions": convolutions, "LSTM": recurrent, "dense": dense, "FIR filter, 31 taps": filtered}


def build(folder: Path, count: int) -> list[str]:
    """Build every model with a recording that has `count` rows to check, and again with a tenth of it."""
    from kexport.factory.tensorflow_workers import import_tensorflow

    import_tensorflow()
    import keras
    import numpy as np

    import kexport

    names = list(models())
    for index, make in enumerate(models().values()):
        for part, rows in (("all", count), ("tenth", count // 10)):
            keras.utils.set_random_seed(0)
            model, shape = make()
            # Up to 512 rows are set aside for calibration.
            data = np.random.default_rng(0).uniform(0, 1, (rows + 512, *shape)).astype("float32")
            kexport.build(model, folder / f"{index}.{part}", samples=data, formats=["onnx", "tflite"])
    return names


def measure(folder: str, runtime_name: str, repeats: int) -> tuple[int, float, float]:
    """The number of samples, and the median seconds of checking them all and of only running them."""
    from kexport import runtimes
    from kexport.bundle.folder import Bundle
    from kexport.field.verification import ArtifactInRuntime, check_parity

    bundle, runtime = Bundle.open(folder), runtimes.get(runtime_name)
    (artifact,) = bundle.artifacts_of(runtime.reads)
    session = runtime.open(bundle.path / artifact.path, bundle.signature)
    tested = ArtifactInRuntime.of(bundle, artifact, runtime, bundle.manifest.limits)
    batches = [[value.copy() for value in golden.inputs.values()] for golden in bundle.goldens(checked=True)]
    checked, raw = [], []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        outcomes = list(check_parity(tested, session))
        checked.append(time.perf_counter() - began)
        assert all(check.passed for check in outcomes), outcomes
        began = time.perf_counter()
        for batch in batches:
            session.opened.run(batch)
        raw.append(time.perf_counter() - began)
    count = sum(len(batch[0]) for batch in batches)
    return count, statistics.median(checked[1:]), statistics.median(raw[1:])  # the first one warms up


def peak(folder: Path, runtime: str) -> float:
    """The peak memory, in MB, of a process that checks a bundle."""
    command = [sys.executable, __file__, "--child", str(folder), runtime]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def child(folder: str, runtime: str) -> None:
    """Check a bundle, and print the peak memory."""
    from kexport import runtimes
    from kexport.bundle.folder import Bundle
    from kexport.field.verification import RuntimeChecks

    assert all(check.passed for check in RuntimeChecks(Bundle.open(folder)).here(runtimes.get(runtime)))
    print(_peak_memory())


def _peak_memory() -> float:
    """The peak memory of this program, in MB. Not `ru_maxrss`, which a process inherits from its parent."""
    (line,) = (each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM:"))
    return float(line.split()[1]) / 1024


def main() -> int:
    """Measure all models and print a table; returns 1 when a limit is missed."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return 0
    missed, table = False, {}
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        names = build(folder, options.samples)
        print(f"{'model':<20}  {'runtime':<11}  samples  us a sample  parity / raw  memory all / tenth")
        for index, name in enumerate(names):
            for runtime in RUNTIMES:
                count, checked, raw = measure(str(folder / f"{index}.all"), runtime, options.repeats)
                memory = peak(folder / f"{index}.all", runtime) / peak(folder / f"{index}.tenth", runtime)
                each, ratio = 1e6 * raw / count, checked / raw
                wrong = memory > MEMORY_LIMIT or (each >= LEAST_MICROSECONDS and ratio > TIME_LIMIT)
                missed |= wrong
                table[f"{name}, {runtime}"] = {"microseconds": each, "time": ratio, "memory": memory}
                line = f"{name:<20}  {runtime:<11}  {count:7}  {each:11.2f}  {ratio:12.2f}  {memory:18.2f}"
                print(line + "  missed" * wrong, flush=True)
    print(f"limits: {TIME_LIMIT} of time where a sample takes {LEAST_MICROSECONDS} us, {MEMORY_LIMIT} of memory")
    if options.write:
        faults = Measurements("faults", "fault_cases")
        faults.write({**faults.read(), "throughput": table})
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
