"""How far one unit in the last place moves a result: the conditioning of a model on given inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kexport.bundle.domain import Domain
from kexport.bundle.signature import Array, TensorSpec


def widened(array: Array) -> Array:
    """Real numbers as float64, complex ones as complex128; everything else as it is."""
    real = array.dtype.kind == "f" or array.dtype.name == "bfloat16"
    return array.astype(np.float64) if real else array.astype(np.complex128) if array.dtype.kind == "c" else array


def nudged(array: Array, rng: np.random.Generator, epsilon: float, domain: Domain | None = None) -> Array:
    """Every real number moved by one unit in the last place that the model computes with, up or down at random.

    Args:
        array: of any dtype; what is no real number stays as it is.
        rng: decides which way.
        epsilon: one unit in the last place of 1.
        domain: that is not left, since a model need not take what lies beyond: at its ends numbers move inwards.
    """
    if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
        return array
    own = array.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        # A number is m 2^e with m from 0.5 to 1: its unit in the last place is epsilon 2^(e-1).
        steps = np.ldexp(epsilon, np.frexp(own)[1] - 1) * rng.choice([-1.0, 1.0], array.shape)
        steps = np.where(np.isfinite(own) & (own != 0), steps, 0.0)
        moved = np.asarray((own + steps).astype(array.dtype))
        if domain is None:
            return moved
        back = (own - steps).astype(array.dtype)
        inside = np.where(domain.project(moved) == moved, moved, domain.project(back))
        return np.where(np.isfinite(own), inside, array)


def movement(spec: TensorSpec, own: Array, truth: Array, others: Sequence[Array]) -> Array:
    """How far each element of the truth moves when inputs and weights move by one unit in the last place.

    Args:
        spec: of the output.
        own: what the model computes in its own precision.
        truth: what is true of it.
        others: what it computes on nudged inputs.

    Returns:
        Of real outputs the largest distance from the truth, infinite where NaN or infinity come or go; of others 1
        where the answer is another. float32, of the truth's shape.
    """
    moves = np.zeros(truth.shape, np.float32)
    for other in (own, *others):
        if other.shape != truth.shape:  # the shape depends on the values
            return np.full(truth.shape, np.inf if spec.is_float else 1.0, np.float32)
        if not spec.is_float:
            moves[other != own] = 1.0
            continue
        moves = np.asarray(np.maximum(moves, distance(other, truth).astype(np.float32)))  # of one element too
        moves[np.isfinite(other) != np.isfinite(own)] = np.inf
    return moves


def distance(value: Array, truth: Array) -> Array:
    """The absolute distance of each element, 0 where either is no number."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinity minus infinity
        apart = np.asarray(np.abs(widened(value) - truth))
    return np.where(np.isfinite(apart), apart, 0.0)
