"""The conditioning of a model on given inputs: how far one unit in the last place moves its outputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kexport.bundle.domain import Domain
from kexport.bundle.signature import Array, TensorSpec


def widened(array: Array) -> Array:
    """Real numbers as float64, complex ones as complex128; anything else unchanged."""
    real = array.dtype.kind == "f" or array.dtype.name == "bfloat16"
    return array.astype(np.float64) if real else array.astype(np.complex128) if array.dtype.kind == "c" else array


def nudged(array: Array, rng: np.random.Generator, epsilon: float, domain: Domain | None = None) -> Array:
    """Move every real number by one unit in the last place of the model's arithmetic, up or down at random.

    Args:
        array: an array of any dtype; only real numbers move.
        rng: draws the directions.
        epsilon: one unit in the last place of 1.
        domain: numbers do not leave it, because the model need not accept others: at its ends they move inwards.
    """
    if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
        return array
    wide = array.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        # A number is m 2^e with m from 0.5 to 1: its unit in the last place is epsilon 2^(e-1).
        steps = np.ldexp(epsilon, np.frexp(wide)[1] - 1) * rng.choice([-1.0, 1.0], array.shape)
        steps = np.where(np.isfinite(wide) & (wide != 0), steps, 0.0)
        moved = np.asarray((wide + steps).astype(array.dtype))
        if domain is None:
            return moved
        back = (wide - steps).astype(array.dtype)
        inside = np.where(domain.project(moved) == moved, moved, domain.project(back))
        inside = np.where(domain.project(array) == array, inside, moved)  # it was outside before
        return np.where(np.isfinite(wide), inside, array)


def scaled(array: Array, factor: float) -> Array:
    """Every real number times the same factor, so that equal ones stay equal."""
    if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
        return array
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray((array.astype(np.float64) * factor).astype(array.dtype))


def movement(spec: TensorSpec, keras_output: Array, truth: Array, others: Sequence[Array]) -> Array:
    """How far each element of the truth moves when what the model computes moves by one unit in the last place.

    Args:
        spec: the specification of the output.
        keras_output: what the model computes in its own precision.
        truth: the true output, of the same shape.
        others: what the model computes when inputs, weights or operations inside are nudged.

    Returns:
        For real outputs the largest distance from the truth, infinite where NaN or infinity appear or vanish; for
        others 1 where the value changes. float32, of the truth's shape.
    """
    largest = np.zeros(truth.shape, np.float32)
    for other in (keras_output, *others):
        if other.shape != truth.shape:  # the shape depends on the values
            return np.full(truth.shape, np.inf if spec.is_float else 1.0, np.float32)
        if not spec.is_float:
            largest[other != keras_output] = 1.0
            continue
        largest = np.asarray(np.maximum(largest, distance(other, truth).astype(np.float32)))  # of one element too
        largest[np.isfinite(other) != np.isfinite(keras_output)] = np.inf
    return largest


def distance(value: Array, truth: Array) -> Array:
    """The absolute distance of each element, 0 where either is NaN or infinite."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinity minus infinity
        apart = np.asarray(np.abs(widened(value) - truth))
    return np.where(np.isfinite(apart), apart, 0.0)
