"""What kexport costs, as ratios to the raw libraries, timed in turns in one run; each figure is a median.

    python scripts/benchmark.py [--repeats 5]

Exit code 1 when a limit is missed. Needs the packages of `kexport[build,test]`.
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

REFERENCE = Path(__file__).parent.parent / "artifacts" / "reference" / "lowpass"
PYTHON = [sys.executable]
KEXPORT = [sys.executable, "-m", "kexport"]
CALLS = 2000  # of a model, for one figure

EXPORT = """
import kexport_layers.models.lowpass
model = kexport_layers.models.lowpass.lowpass()
model.save("model.keras")
model.export("saved_model", verbose=False)
"""
TFLITE = """
import tensorflow as tf
open("model.tflite", "wb").write(tf.lite.TFLiteConverter.from_saved_model("saved_model").convert())
"""
COMPARE = """
import kexport_layers.low_pass_filter, keras, numpy as np, onnxruntime, tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
x = np.random.default_rng(0).uniform(-5, 5, (4, 64)).astype(np.float32)
expected = keras.saving.load_model("model.keras")(x).numpy()
results = [tf.saved_model.load("saved_model").serve(x).numpy()]
results += onnxruntime.InferenceSession("model.onnx").run(None, {"signal": x})
for kernels in (OpResolverType.AUTO, OpResolverType.BUILTIN_REF):
    interpreter = Interpreter("model.tflite", experimental_op_resolver_type=kernels)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    results.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
for result in results:
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)
"""
RAW_CHAIN = [
    [*PYTHON, "-c", EXPORT],
    [*PYTHON, "-m", "tf2onnx.convert", "--saved-model", "saved_model", "--output", "model.onnx", "--opset", "18"],
    [*PYTHON, "-c", TFLITE],
    [*PYTHON, "-c", COMPARE],
]


def seconds(commands: list[list[str]], folder: str) -> float:
    """Wall time of the commands, run one after another, in seconds."""
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "ORT_DISABLE_TELEMETRY": "1"}
    start = time.perf_counter()
    for command in commands:
        done = subprocess.run(command, cwd=folder, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)[:200]} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - start


def medians(repeats: int, *measures: Callable[[], float]) -> list[float]:
    """The median of each measure, all taken in turns so that a slow minute of the machine affects each alike."""
    rounds = [[measure() for measure in measures] for _ in range(repeats)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def call_cost(runtime: str) -> tuple[Callable[[], float], Callable[[], float]]:
    """Seconds for one call of the loaded reference model, and of the bare session on the same file and array."""
    import numpy as np

    import kexport

    model = kexport.load(REFERENCE, runtime=runtime)
    array = np.linspace(-5, 5, 64, dtype=np.float32)[None]
    raw = _raw_onnx(array) if runtime == "onnxruntime" else _raw_litert(array)
    return (lambda: _per_call(lambda: model(array))), (lambda: _per_call(raw))


def _raw_onnx(array: object) -> Callable[[], object]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(REFERENCE / "model.onnx"), providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"signal": array})


def _raw_litert(array: object) -> Callable[[], object]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(REFERENCE / "model.tflite"))
    source = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(source, (1, 64))
    interpreter.allocate_tensors()
    target = interpreter.get_output_details()[0]["index"]

    def call() -> object:
        interpreter.set_tensor(source, array)
        interpreter.invoke()
        return interpreter.get_tensor(target)

    return call


def _per_call(call: Callable[[], object]) -> float:
    for _ in range(CALLS // 10):
        call()
    start = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - start) / CALLS


def main() -> int:
    """Print a row for each figure; returns 1 when one misses its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    missed = 0

    def row(what: str, figure: float, limit: float, unit: str, at_least: bool = False) -> None:
        nonlocal missed
        kept = figure >= limit if at_least else figure <= limit
        missed += not kept
        sign = ">=" if at_least else "<="
        print(f"{what:<62} {figure:7.2f} {unit:<2} {sign} {limit:g}  {'ok' if kept else 'MISSED'}", flush=True)

    with tempfile.TemporaryDirectory() as folder:

        def timed(*commands: list[str]) -> Callable[[], float]:
            return lambda: seconds(list(commands), folder)

        command = [*KEXPORT, "build", "--model", "lowpass", "--out", "ours"]
        ours = timed([*command, "--fresh"])
        build, tensorflow, chain = medians(
            repeats, ours, timed([*PYTHON, "-c", "import tensorflow"]), timed(*RAW_CHAIN)
        )
        row("build lowpass / import tensorflow", build / tensorflow, 1.0, "x")
        row("raw chain / build lowpass", chain / build, 3.5, "x", at_least=True)

        unchanged, three, one = medians(
            repeats,
            timed(command),
            timed([*KEXPORT, "verify", "ours", str(REFERENCE), "ours"]),
            timed([*KEXPORT, "verify", "ours"]),
        )
        row("build of what has not changed", unchanged, 0.5, "s")
        row("verify of three bundles / of one", three / one, 2.0, "x")

        helped, listed, click = medians(
            repeats,
            timed([*KEXPORT, "--help"]),
            timed([*KEXPORT, "list", "models"]),
            timed([*PYTHON, "-c", "import click"]),
        )
        row("kexport --help - import click", helped - click, 0.15, "s")
        row("kexport list models - import click", listed - click, 0.15, "s")

        field = [word for name in ("onnxruntime", "litert", "litert_reference") for word in ("--runtime", name)]
        verified, runtimes = medians(
            repeats,
            timed([*KEXPORT, "verify", str(REFERENCE), *field]),
            timed([*PYTHON, "-c", "import onnxruntime, ai_edge_litert.interpreter"]),
        )
        row("kexport verify lowpass - import of both runtimes", verified - runtimes, 0.5, "s")

        imported, numpy = medians(
            repeats * 3, timed([*PYTHON, "-c", "import kexport"]), timed([*PYTHON, "-c", "import numpy"])
        )
        row("import kexport / import numpy", imported / numpy, 1.2, "x")

    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    for runtime in ("onnxruntime", "litert"):
        loaded, raw = medians(repeats * 3, *call_cost(runtime))
        row(f"call of a loaded model - raw session, {runtime}", 1e6 * (loaded - raw), 5, "us")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
