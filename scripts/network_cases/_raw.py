"""Whether a bundle's artifacts give what Keras gives, run by the raw runtimes on inputs that the build has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kexport.errors import reason
from kexport.parity.conditioning import distance
from raw_runtimes import Array, Arrays, Serve, litert, litert_reference, onnxruntime, saved_model

_CLOSE = 1e-5  # of the output's scale
_TIMES = 4  # the limit that the bundle itself states
_TRIALS = ((3, 6), (1, 9))  # batch, and the first size that is not fixed
_SEED = 987_654


def problems(bundle: Any, model: Any) -> Iterator[dict[str, str]]:
    """What is wrong, by artifact and runtime; nothing where all is right.

    Args:
        bundle: that was built from the model.
        model: the Keras model.
    """
    limits = {each.output: _TIMES * each.absolute for each in bundle.manifest.limits}
    names = [spec.name for spec in bundle.signature.outputs]
    for batch, length in _TRIALS:
        x = _inputs(bundle, batch, length)
        try:
            wanted = _of_keras(model, x, names)
            near = [_of_keras(model, nudged, names) for nudged in _nearby(x)]
        except Exception:  # noqa: BLE001  Keras may refuse a length
            continue
        moved = {name: max(_distance(each[name], wanted[name]) for each in near) for name in names}
        allowed = {name: max(limits.get(name, 0.0), 2 * _TIMES * moved[name]) for name in names}
        for artifact in bundle.manifest.artifacts:
            for runtime in _RUNTIMES[artifact.format]:
                said = _told(runtime, bundle.path / artifact.path, x, wanted, allowed)
                if said:
                    where = {"artifact": artifact.path, "runtime": runtime.__name__}
                    yield {"kind": "unseen", **where, "detail": f"batch {batch}: {said}"}


def _inputs(bundle: Any, batch: int, length: int) -> dict[str, Array]:
    domains, rng = bundle.domains(), np.random.default_rng([_SEED, batch])
    drawn = {}
    for spec in bundle.signature.inputs:
        sizes = [batch if axis == 0 else length if size is None else size for axis, size in enumerate(spec.shape)]
        drawn[spec.name] = domains[spec.name].sample(rng, tuple(sizes)).astype(spec.numpy_dtype)
    return drawn


def _nearby(x: Arrays) -> Iterator[dict[str, Array]]:
    """Inputs one rounding away."""
    rng = np.random.default_rng(_SEED)
    for _ in range(3):
        yield {
            name: values * (1 + rng.choice([-1, 0, 1], values.shape).astype(values.dtype) * np.finfo(values.dtype).eps)
            if values.dtype.kind == "f"
            else values
            for name, values in x.items()
        }


def _distance(one: Array, other: Array) -> float:
    """The largest between numbers that are both finite."""
    return float(distance(one.astype("float64"), other.astype("float64")).max(initial=0))


def _of_keras(model: Any, x: Arrays, names: list[str]) -> dict[str, Array]:
    given = list(x.values())
    made = model(given if len(given) > 1 else given[0], training=False)
    results = made if isinstance(made, list | tuple) else [made]
    return {name: np.asarray(value) for name, value in zip(names, results, strict=True)}


def _told(runtime: Callable[[Path], Serve], path: Path, x: Arrays, wanted: Arrays, allowed: Any) -> str:
    try:
        got = runtime(path)(x)
    except Exception as error:  # noqa: BLE001  a runtime may raise anything: the artifact does not work
        return reason(error)[:300]
    said = {name: _problem(got[name], wanted[name], allowed.get(name, 0.0)) for name in wanted}
    return "; ".join(f"{name}: {text}" for name, text in said.items() if text)


def _problem(got: Array, wanted: Array, allowed: float) -> str:
    if got.shape != wanted.shape:
        return f"shape {got.shape} instead of {wanted.shape}"
    if got.dtype != wanted.dtype:
        return f"dtype {got.dtype} instead of {wanted.dtype}"
    given, expected = got.astype("float64"), wanted.astype("float64")
    if not np.array_equal(np.isfinite(given), np.isfinite(expected)):
        return "NaN or infinity at other places"
    apart = _distance(got, wanted)
    limit = max(allowed, _CLOSE * np.abs(np.where(np.isfinite(expected), expected, 0)).max(initial=0))
    return f"off by {apart:.1e}, more than {limit:.1e}" if apart > limit else ""


_RUNTIMES: Mapping[str, tuple[Callable[[Path], Serve], ...]] = {
    "onnx": (onnxruntime,),
    "tflite": (litert, litert_reference),
    "saved_model": (saved_model,),
    "keras": (),
}
