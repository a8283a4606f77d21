"""Checks made before numbers are compared: dtype, shape, and the positions of NaN and infinity."""

from __future__ import annotations

import numpy as np

from kexport.bundle.signature import Array, TensorSpec
from kexport.parity.conditioning import distance, widened


def as_text(value: Array) -> Array:
    """Strings, which runtimes return as objects of several types, as a NumPy string array; numbers unchanged."""
    if value.dtype.kind not in "OS":
        return value
    texts = [item.decode(errors="surrogateescape") if isinstance(item, bytes) else str(item) for item in value.flat]
    return np.array(texts, dtype=str).reshape(value.shape)


def structure_problem(spec: TensorSpec, truth: Array, value: Array) -> str | None:
    """Why the dtype or shape of a value is wrong; None when both are right."""
    if value.dtype != spec.numpy_dtype and not (value.dtype.kind == spec.numpy_dtype.kind == "U"):
        return f"dtype {value.dtype} instead of {spec.dtype}"
    if value.shape != truth.shape:
        return f"shape {value.shape} instead of {truth.shape}"
    return None


def nonfinite_problem(spec: TensorSpec, truth: Array, value: Array, ulp_sensitivity: Array | None) -> str | None:
    """Why NaN and infinity in a value are wrong; None when they are where the truth has them.

    Elements that one unit in the last place makes infinite, or finite, may be either.
    """
    wanted, got = _kinds(_narrowed(spec, truth)), _kinds(value)
    if ulp_sensitivity is not None:
        got = np.where(np.isfinite(ulp_sensitivity), got, wanted)
    for number, name in ((1, "NaN"), (2, "+Inf"), (3, "-Inf")):
        wrong = int(((wanted == number) != (got == number)).sum())
        if wrong:
            return f"{name} in the wrong place, or missing, at {wrong} of {value.size} elements"
    return None if (wanted == got).all() else "NaN or infinity in the wrong place, or missing"


def matched_to_keras(
    spec: TensorSpec, truth: Array, keras_output: Array, value: Array, limit: float
) -> tuple[Array, int]:
    """The truth, with Keras' elements where the value agrees with those instead, and their number.

    Args:
        spec: the specification of the output.
        truth: the true output.
        keras_output: Keras' own.
        value: what is compared.
        limit: how far real numbers that agree may be apart.
    """
    if not spec.is_float:
        agrees = (value == keras_output) & (value != truth)
    else:
        kinds = _kinds(value)
        agrees = (kinds == _kinds(keras_output)) & (kinds != _kinds(_narrowed(spec, truth)))
        agrees |= (distance(value, truth) > limit) & _near(value, widened(keras_output), limit)
    return np.where(agrees, keras_output.astype(truth.dtype), truth), int(agrees.sum())


def _near(value: Array, other: Array, limit: float) -> Array:
    """Where both are numbers, no farther apart than the limit."""
    return np.isfinite(value) & np.isfinite(other) & (distance(value, other) <= limit)


def _narrowed(spec: TensorSpec, truth: Array) -> Array:
    with np.errstate(over="ignore"):  # beyond the dtype's range the right answer is infinity
        return truth.astype(spec.numpy_dtype)


def _kinds(values: Array) -> Array:
    """For each element: 0 when it is finite, 1 for NaN, 2 for +Inf, 3 for -Inf; for complex ones, of both parts."""
    if values.dtype.kind == "c":
        return np.asarray(_kinds(values.real) + 4 * _kinds(values.imag))
    return np.asarray(np.isnan(values) + 2 * np.isposinf(values) + 3 * np.isneginf(values))
