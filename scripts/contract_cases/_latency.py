"""What a layer costs in an artifact, against the smallest graph of its mathematics, in the raw libraries."""

from __future__ import annotations

import importlib
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import contract_cases
import kexport
from contract_cases import _current, hand_written
from contract_cases._handmade import Handmade

PATHS = {"onnxruntime": "model.onnx", "litert": "model.tflite"}
LIMIT = 1.05
ROUNDS = 400
_SLICE = 1e-3  # seconds of calls between two readings of the clock
_CLOSE = 1e-4
Call = Callable[[], Any]


def every() -> list[Handmade]:
    """All layers, in alphabetical order of their files."""
    return [
        each
        for name in contract_cases.files(hand_written)
        for each in importlib.import_module(f"{hand_written.__name__}.{name}").CASES
    ]


def names() -> list[str]:
    """Of all layers."""
    return [each.name for each in every()]


def work(name: str, folder: Path) -> dict[str, Any]:
    """Build the layer, write both graphs by hand, and time each pair in turns."""
    case = next(each for each in every() if each.name == name)
    _current.configuration = _Built(case)  # type: ignore[assignment]
    shutil.rmtree(folder / "bundle", ignore_errors=True)
    bundle = kexport.build("contract_cases._current:model", folder / "bundle", formats=["onnx", "tflite"],
                           domain=dict.fromkeys(case.shapes, case.domain))  # fmt: skip
    assert bundle.passed, [check for check in bundle.report.checks if not check.passed]
    layer = _Built(case).model().layers[-1]
    case.write_onnx(layer, folder / "model.onnx", bundle.path / "model.onnx")
    case.write_tflite(layer, folder / "model.tflite")
    rng = np.random.default_rng(0)
    feeds = {each: rng.uniform(-2, 2, (case.batch, *shape)).astype(np.float32) for each, shape in case.shapes.items()}
    record: dict[str, Any] = {}
    for runtime, file in PATHS.items():
        opened = {"onnxruntime": _onnx, "litert": _tflite}[runtime]
        ours, theirs = opened(bundle.path / file, feeds), opened(folder / file, feeds)
        np.testing.assert_allclose(ours(), theirs(), rtol=_CLOSE, atol=_CLOSE)
        record[runtime] = paired(ours, theirs)
    return record


class _Built:
    """The layer alone as a model, the same whenever it is made."""

    def __init__(self, case: Handmade) -> None:
        self.case = case

    def model(self) -> Any:
        """The Keras model."""
        import keras

        keras.utils.set_random_seed(0)
        inputs = {name: keras.Input(shape, name=name) for name, shape in self.case.shapes.items()}
        return keras.Model(list(inputs.values()), self.case.layer()(*inputs.values()), name="layer")


def _onnx(path: Path, feeds: dict[str, np.ndarray]) -> Call:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, feeds)[0]


def _tflite(path: Path, feeds: dict[str, np.ndarray]) -> Call:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    places = {}
    for details in interpreter.get_input_details():
        (name,) = (each for each in feeds if each in details["name"])
        places[details["index"]] = feeds[name]
        interpreter.resize_tensor_input(details["index"], feeds[name].shape)
    interpreter.allocate_tensors()
    target = interpreter.get_output_details()[0]["index"]

    def call() -> Any:
        for index, value in places.items():
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        return interpreter.get_tensor(target)

    return call


def paired(ours: Call, theirs: Call, rounds: int = ROUNDS) -> dict[str, float]:
    """The median of the ratios of two calls that are timed in turns, and how long each takes, in microseconds."""
    count = max(1, int(_SLICE / max(_seconds(theirs, 50), 1e-7)))
    ratios, own, other = [], [], []
    for index in range(rounds):
        # Each goes first as often as the other.
        first, second = (ours, theirs) if index % 2 else (theirs, ours)
        a, b = _seconds(first, count), _seconds(second, count)
        a, b = (a, b) if index % 2 else (b, a)
        ratios.append(a / b)
        own.append(a)
        other.append(b)
    return {
        "ratio": round(statistics.median(ratios), 4),
        "microseconds": round(1e6 * statistics.median(own), 2),
        "by_hand": round(1e6 * statistics.median(other), 2),
    }


def _seconds(call: Call, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count
