"""What exporting larger models costs, and what the artifacts cost to run, as ratios to the raw libraries.

    python scripts/benchmark_models.py [--repeats 3] [resnet50] [mobilenetv2] [size] [latency]

The first rows compare with Keras' own four exports, one after the other in one process; the last ones compare with the
files of the raw converters. Exit code 1 when a limit is missed. Needs `kexport[build,test]`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "ORT_DISABLE_TELEMETRY": "1", "KERAS_BACKEND": "tensorflow"}

MODELS = """
import keras
def resnet50():
    return keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3))
def mobilenetv2():
    return keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3))
def fir():
    signal = keras.Input((None, 1), name="signal")
    return keras.Model(signal, keras.layers.Conv1D(1, 31, padding="same", name="filtered")(signal))
def lstm():
    steps = keras.Input((32, 8), name="steps")
    return keras.Model(steps, keras.layers.LSTM(16, name="state")(steps))
def dense(units: int = 1000):
    x = inputs = keras.Input((units,), name="x")
    for index in range(8):
        x = keras.layers.Dense(units, activation="relu", name=f"dense_{index}")(x)
    return keras.Model(inputs, x)
"""

#: Keras' four exports; prints the seconds that they take once TensorFlow is imported and the model is created.
RAW = """
import sys, time
import keras, models, tensorflow
model = getattr(models, sys.argv[1])()
model(keras.ops.zeros([1, *model.input_shape[1:]]))  # Keras cannot export a model to ONNX before it was called
start = time.perf_counter()
model.save("raw.keras")
model.export("raw_saved_model", format="tf_saved_model", verbose=False)
model.export("raw.onnx", format="onnx", verbose=False)
model.export("raw.tflite", format="litert", verbose=False)
print(time.perf_counter() - start)
"""

#: kexport's four; prints the seconds of the conversions alone, then those of the whole build, from the trace on.
OURS = """
import shutil, sys, time
from pathlib import Path
from kexport.factory.tensorflow_workers import tensorflow_workers
from kexport.factory import formats as known
workers = tensorflow_workers(2)
from kexport.factory.exports import Exports
from kexport.factory.request import Conversion
from kexport.factory.trace.program import trace
import models
model = getattr(models, sys.argv[1])()
folder = Path("alone")
shutil.rmtree(folder, ignore_errors=True)  # of the round before
folder.mkdir()
start = time.perf_counter()
formats = [known.get(name) for name in ("keras", "saved_model", "onnx", "tflite")]
exports = Exports(trace(model), formats, folder, Conversion(timeout=1000))
exports.start(workers)
exports.write(lambda step: None)
exports.finish(lambda step: None)
print(time.perf_counter() - start)
"""
WHOLE = """
import shutil, sys, time
import kexport
shutil.rmtree(sys.argv[2], ignore_errors=True)  # nothing is taken from the round before
stamps = {}
bundle = kexport.build(
    f"models.py:{sys.argv[1]}",
    sys.argv[2],
    formats=sys.argv[3].split(","),
    settings=dict(pair.split("=") for pair in sys.argv[4:]),
    progress=lambda step: stamps.setdefault(step, time.perf_counter()),
)
assert bundle.passed, bundle.report
print(time.perf_counter() - stamps["tracing"])
"""


class Measured:
    """The seconds that a script printed, and the peak memory of all its processes together, in bytes."""

    def __init__(self, script: str, *arguments: str, folder: str) -> None:
        self.memory = 0
        path = Path(folder, "script.py")
        path.write_text(script)
        process = subprocess.Popen(
            [sys.executable, str(path), *arguments],
            cwd=folder, env=QUIET, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        watcher = threading.Thread(target=self._watch, args=(process,), daemon=True)
        watcher.start()
        out, err = process.communicate()
        watcher.join()
        if process.returncode:
            raise SystemExit(f"{arguments} failed:\n{out[-1000:]}{err[-3000:]}")
        self.seconds = float(out.split()[-1])

    def _watch(self, process: subprocess.Popen[str]) -> None:
        while process.poll() is None:
            self.memory = max(self.memory, _memory_of_session(process.pid))
            time.sleep(0.1)


def _memory_of_session(session: int) -> int:
    """Proportional set size of all processes of a session, in bytes: shared pages count once (Linux)."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == session:
                    line = next(x for x in (entry / "smaps_rollup").read_text().splitlines() if x.startswith("Pss:"))
                    total += int(line.split()[1]) * 1024
            except (OSError, StopIteration):
                continue  # it ended in between
    return total


class Table:
    """Rows of figures with their limits."""

    def __init__(self) -> None:
        self.missed = 0

    def row(self, what: str, figure: float, limit: float, unit: str = "x") -> None:
        """Print a figure that may be at most the limit."""
        kept = figure <= limit
        self.missed += not kept
        print(f"{what:<74} {figure:8.2f} {unit:<2} <= {limit:g}  {'ok' if kept else 'MISSED'}", flush=True)


def speed(table: Table, name: str, alone_limit: float, whole_limit: float, repeats: int, folder: str) -> None:
    """Time and memory of the four exports of one model."""
    rounds = []
    for _ in range(repeats):
        raw = Measured(RAW, name, folder=folder)
        alone = Measured(OURS, name, folder=folder)
        whole = Measured(WHOLE, name, "bundle", "keras,saved_model,onnx,tflite", folder=folder)
        rounds.append((alone.seconds / raw.seconds, whole.seconds / raw.seconds, alone.memory / raw.memory))
    alone_ratio, whole_ratio, memory = (statistics.median(column) for column in zip(*rounds, strict=True))
    table.row(f"{name}: four conversions / Keras' own four exports", alone_ratio, alone_limit)
    table.row(f"{name}: the same with truth and verification in five runtimes", whole_ratio, whole_limit)
    table.row(f"{name}: peak memory of all processes, conversions / Keras' exports", memory, 1.1)


def size(table: Table, folder: str) -> None:
    """Time and memory per byte of weights, of 1 GB against 100 MB."""
    costs = []
    for units in (1768, 5590):  # 8 matrices: 100 MB, 1 GB
        done = Measured(WHOLE, "dense", "bundle", "keras,saved_model,onnx,tflite", f"units={units}", folder=folder)
        weight = 8 * units * units * 4
        costs.append((done.seconds / weight, done.memory / weight))
    (small_time, small_memory), (large_time, large_memory) = costs
    table.row("1 GB of weights / 100 MB: seconds per byte", large_time / small_time, 1.3)
    table.row("1 GB of weights / 100 MB: memory per byte", large_memory / small_memory, 1.3)


RAW_FILES = """
import sys
import keras, models, tensorflow as tf
model = getattr(models, sys.argv[1])()
model.save("shared.keras")
shape = [1, *(64 if size is None else size for size in model.input_shape[1:])]
model(keras.ops.zeros(shape))  # Keras cannot export a model to ONNX before it was called
model.export("raw.onnx", format="onnx", verbose=False)
function = tf.function(lambda x: model(x, training=False)).get_concrete_function(tf.TensorSpec(shape, "float32"))
open("raw.tflite", "wb").write(tf.lite.TFLiteConverter.from_concrete_functions([function]).convert())
print(0)
"""
OUR_FILES = """
import kexport
assert kexport.build("shared.keras", "ours", formats=["onnx", "tflite"]).passed
print(0)
"""


def latency(table: Table, name: str, shape: tuple[int, ...], repeats: int, folder: str) -> None:
    """Nodes and time of one call of our files against the raw ones."""
    import numpy as np
    import onnx

    Measured(RAW_FILES, name, folder=folder)
    Measured(OUR_FILES, folder=folder)
    files = {side: Path(folder, place) for side, place in (("raw", "."), ("ours", "ours"))}
    models = {
        side: onnx.load(folder / ("raw.onnx" if side == "raw" else "model.onnx")) for side, folder in files.items()
    }
    nodes = {side: len(model.graph.node) for side, model in models.items()}
    table.row(f"{name}: ONNX nodes ({nodes['ours']} / {nodes['raw']})", nodes["ours"] / nodes["raw"], 1.0)
    array = np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")
    for runtime, suffix in (("onnxruntime", "onnx"), ("litert", "tflite")):
        calls = {
            "raw": _session(runtime, files["raw"] / f"raw.{suffix}", array),
            "ours": _session(runtime, files["ours"] / f"model.{suffix}", array),
        }
        ratios, slow = [], 0.0
        for _ in range(repeats * 7):
            raw, ours = _per_call(calls["raw"]), _per_call(calls["ours"])
            ratios.append(ours / raw)
            slow = max(slow, raw)
        limit = 1.10 if slow < 1e-4 else 1.03
        table.row(f"{name}: latency in {runtime} / raw ({1e6 * slow:.0f} us)", statistics.median(ratios), limit)


def _session(runtime: str, path: Path, array: object) -> Callable[[], object]:
    if runtime == "onnxruntime":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda: session.run(None, {name: array})
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, array.shape)  # type: ignore[attr-defined]
    interpreter.allocate_tensors()
    interpreter.set_tensor(index, array)
    return interpreter.invoke  # type: ignore[no-any-return]


def _per_call(call: Callable[[], object]) -> float:
    call()
    count, start = 0, time.perf_counter()
    while count < 20 or time.perf_counter() - start < 0.1:
        call()
        count += 1
    return (time.perf_counter() - start) / count


def main() -> int:
    """Print a row for each figure; returns 1 when one misses its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("parts", nargs="*", help="resnet50, mobilenetv2, size, latency; by default all")
    given = parser.parse_args()
    parts = given.parts or ["resnet50", "mobilenetv2", "size", "latency"]
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "models.py").write_text(MODELS)
        if "resnet50" in parts:
            speed(table, "resnet50", 0.4, 0.65, given.repeats, folder)
        if "mobilenetv2" in parts:
            speed(table, "mobilenetv2", 0.5, 0.8, given.repeats, folder)
        if "size" in parts:
            size(table, folder)
        if "latency" in parts:
            for name, shape in (("mobilenetv2", (1, 96, 96, 3)), ("fir", (1, 64, 1)), ("lstm", (1, 32, 8))):
                latency(table, name, shape, given.repeats, folder)
    return 1 if table.missed else 0


if __name__ == "__main__":
    os.environ.update({key: QUIET[key] for key in ("ORT_DISABLE_TELEMETRY",)})
    sys.exit(main())
