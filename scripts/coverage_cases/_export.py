"""One case: built in every format, and its artifacts compared with the model by the raw runtimes alone."""

from __future__ import annotations

import functools
import re
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import kexport
import raw_runtimes
from coverage_cases import _current
from coverage_cases._case import Case
from coverage_cases._draw import Array
from kexport import runtimes
from kexport.errors import reason
from kexport.parity.tolerance import for_kernels

RIGHT, REFUSED, CAUGHT = "right", "refused", "caught"
WRONG, ALARM, CRASH = "wrong", "false alarm", "crash"
#: Never acceptable.
BAD = (WRONG, ALARM, CRASH)

Serve = Callable[[list[Array]], list[Array]]
Outcome = dict[str, tuple[str, str]]  # of each format: status, and why
_CLOSE = 1e-5
_EPSILON = {"float16": 2.0**-10, "float64": 2.0**-52}
_GOLDEN_LENGTH, _LENGTHS = 7, ((1, 7), (3, 9))


def export(case: Case, folder: Path) -> Outcome:
    """The outcome of a case in every format.

    Raises:
        Exception: the case itself is at fault.
    """
    _current.case = case
    rng = np.random.default_rng(7)
    samples = {name: draw.sample(rng, case.batch or 8, _GOLDEN_LENGTH) for name, draw in case.inputs.items()}
    try:
        bundle = kexport.build(
            "coverage_cases._current:model",
            folder / "bundle",
            formats=case.formats,
            domain=samples,
            allow_lambda=True,
            keep_going=True,
            timeout=case.timeout,
        )
    except kexport.KexportError as error:
        _require(_current.made is not None, error)
        return dict.fromkeys(case.formats, (REFUSED, _brief(str(error))))
    except Exception as error:  # noqa: BLE001  what kexport lets through is its outcome
        _require(_current.made is not None, error)
        return dict.fromkeys(case.formats, (CRASH, _last_line(error)))
    trials = _trials(case)
    return {name: _outcome(case, bundle, name, trials) for name in case.formats}


def _require(made: bool, error: Exception) -> None:
    if not made:
        raise error


def _trials(case: Case) -> list[tuple[list[Array], list[Array]]]:
    """Inputs that the build has not seen, and what the model makes of them."""
    rng = np.random.default_rng(11)
    call = _caller(case, _current.made)
    _reset(_current.made)
    trials = []
    for batch, length in _LENGTHS:
        arrays = [draw.sample(rng, case.batch or batch, length) for draw in case.inputs.values()]
        trials.append((arrays, call(arrays)))
    return trials


def _reset(model: Any) -> None:
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False) and hasattr(layer, "reset_state"):
            layer.reset_state()


def _outcome(case: Case, bundle: kexport.Bundle, name: str, trials: Sequence[Any]) -> tuple[str, str]:
    if name in bundle.manifest.refused:
        return REFUSED, _brief(bundle.manifest.refused[name])
    artifact = bundle.artifacts_of(name)[0]
    failed = [check for check in bundle.report.checks if check.artifact == artifact.path and not check.passed]
    try:
        summation = min(runtime.accumulation_factor for runtime in runtimes.every() if runtime.reads == name)
        problem = _compare(case, bundle, _SERVERS[name](case, bundle, bundle.path / artifact.path), trials, summation)
    except Exception as error:  # noqa: BLE001  a runtime may raise anything: the artifact does not work
        problem = f"{name} fails: {_last_line(error)}"
    if failed:
        what = f"{failed[0].runtime}: {failed[0].detail}"
        return (CAUGHT, _brief(what)) if problem else (ALARM, _brief(what))
    return (WRONG, problem) if problem else (RIGHT, "")


def _compare(case: Case, bundle: kexport.Bundle, serve: Serve, trials: Sequence[Any], summation: float) -> str:
    """What is wrong with the outputs; nothing when all are right."""
    declared, wanted = [spec.name for spec in bundle.signature.inputs], _names(case, _current.made)
    if declared != wanted:
        return f"inputs {declared} instead of {wanted}"
    for arrays, wanted in trials:
        got = serve(arrays)
        if len(got) != len(wanted):
            return f"{len(got)} outputs instead of {len(wanted)}"
        for index, (value, truth) in enumerate(zip(got, wanted, strict=True)):
            limit = for_kernels(bundle.manifest.limits[index], summation)
            allowed = min(0.01, limit.limit + limit.floor) * limit.scale if case.noise else 0.0
            if problem := _problem(np.asarray(value), truth, allowed):
                return f"output {index}, batch {len(arrays[0])}: {problem}"
    return ""


def _names(case: Case, model: Any) -> list[str]:
    """The names of the inputs: those of the model's own tensors, where it has any."""
    import keras

    structure = getattr(getattr(model, "_functional", None) or model, "_inputs_struct", None)
    if structure is None:
        return list(case.inputs)
    return [re.sub(r"[^A-Za-z0-9_]", "_", tensor.name) for tensor in keras.tree.flatten(structure)]


def _problem(value: Array, truth: Array, allowed: float) -> str:
    if truth.dtype.kind in "OSU":
        return "" if _texts(value) == _texts(truth) else "other strings"
    if value.dtype != truth.dtype:
        return f"{value.dtype} instead of {truth.dtype}"
    if value.shape != truth.shape:
        return f"shape {value.shape} instead of {truth.shape}"
    if truth.dtype.kind in "iub":
        return "" if np.array_equal(value, truth) else f"{int((value != truth).sum())} of {truth.size} elements differ"
    if not _alike(value, truth):
        return "NaN or infinity elsewhere"
    close = max(_CLOSE, 4 * _EPSILON.get(str(truth.dtype), 0.0))
    wide = np.complex128 if truth.dtype.kind == "c" else np.float64
    finite = np.isfinite(truth)
    value, truth = value.astype(wide)[finite], truth.astype(wide)[finite]
    apart = np.abs(value - truth)
    far = apart > (allowed or close * (1 + np.abs(truth)))
    return f"{apart.max():.1e} from {np.abs(truth).max():.1e}" if far.any() else ""


def _alike(value: Array, truth: Array) -> bool:
    if truth.dtype.kind == "c":
        return _alike(value.real, truth.real) and _alike(value.imag, truth.imag)
    return all(np.array_equal(kind(value), kind(truth)) for kind in (np.isnan, np.isposinf, np.isneginf))


def _texts(values: Array) -> list[str]:
    return [item.decode() if isinstance(item, bytes) else str(item) for item in values.ravel().tolist()]


def _caller(case: Case, model: Any) -> Serve:
    """Calls a Keras model as at inference, or what TensorFlow loaded of it."""
    infer = functools.partial(model, training=False)

    def call(arrays: list[Array]) -> list[Array]:
        tensors = [_tensor(draw.dtype, array) for draw, array in zip(case.inputs.values(), arrays, strict=True)]
        if case.call is not None:
            return _flat(case.call(infer, *tensors))
        return _flat(infer(tensors if len(tensors) > 1 or "x0" in case.inputs else tensors[0]))

    return call


def _tensor(dtype: str, array: Array) -> Any:
    import tensorflow as tf

    return tf.cast(tf.constant(array), dtype) if dtype == "bfloat16" else tf.constant(array)


def _flat(outputs: Any) -> list[Array]:
    import keras
    import tensorflow as tf

    def dense(value: Any) -> Array:
        value = tf.sparse.to_dense(value) if isinstance(value, tf.SparseTensor) else tf.convert_to_tensor(value)
        return np.asarray(tf.cast(value, tf.float32) if value.dtype == tf.bfloat16 else value)

    return [dense(value) for value in keras.tree.flatten(outputs)]


def _saved_model(case: Case, bundle: kexport.Bundle, path: Path) -> Serve:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))

    class Served:
        def __call__(self, *arguments: Any, training: bool = False, **named: Any) -> Any:
            return loaded.serve(*arguments, **named)

    return _caller(case, Served())


def _keras(case: Case, bundle: kexport.Bundle, path: Path) -> Serve:
    import keras

    return _caller(case, keras.saving.load_model(path, compile=False, safe_mode=False))


def _by_order(open_file: Callable[[Path], raw_runtimes.Serve]) -> Callable[[Case, kexport.Bundle, Path], Serve]:
    """Calls a file with its inputs, and for its outputs, in the order of the bundle."""

    def opened(case: Case, bundle: kexport.Bundle, path: Path) -> Serve:
        serve = open_file(path)
        taken, given = ([spec.name for spec in specs] for specs in (bundle.signature.inputs, bundle.signature.outputs))

        def call(arrays: list[Array]) -> list[Array]:
            made = serve(dict(zip(taken, arrays, strict=True)))
            return [made[name] for name in given]

        return call

    return opened


_SERVERS = {
    "saved_model": _saved_model,
    "keras": _keras,
    "onnx": _by_order(raw_runtimes.onnxruntime),
    "tflite": _by_order(raw_runtimes.litert),
}


def _brief(text: str) -> str:
    """What a refusal says is at fault: its `got`, else its first line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    got = [line.partition("got:")[2].strip() for line in lines if line.startswith("got:")]
    return (got or lines or [""])[0][:200]


def _last_line(error: BaseException) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{reason(error)[:160]} ({Path(place.filename).name}:{place.lineno})"
