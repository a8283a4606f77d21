"""Gradients of the traced function, from which the sensitivity of every weight follows.

A projection v of the outputs, whose signs are random and whose sizes are one over the limit of each element, has the
gradient g = J'v. The expectation of g_i^2 is the sum of J_ji^2 over the elements j, so g_i exceeds the largest |J_ji|
by at most sqrt(m) on average over m elements, and never by more than m. Dense projections show what many elements see
a little of, sparse ones what few elements see well. The function computes in the model's own precision: a gradient in
float32 is right to some units in the last place, and what it decides is a matter of factors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.adequacy.convolution_gradients import safe_convolutions
from kexport.factory.adequacy.sensitivity import Sensitivity
from kexport.factory.adequacy.view import View
from kexport.factory.trace.program import Program

_FEW = 4  # elements of a sparse projection, each drawn the more often the larger it is
_GENEROUS = 2.0  # a projection is rarely more than twice its deviation


#: Elements of each projection that one view is looked at through; None for all of them.
BOTH: Sequence[int | None] = (None, _FEW)


def measure(
    program: Program,
    view: View,
    sensitivities: Sequence[Sensitivity],
    rng: np.random.Generator,
    projections: Sequence[int | None] = BOTH,
) -> None:
    """Add what one view sees to the sensitivities; may raise what TensorFlow raises.

    Args:
        program: the traced model.
        view: the call.
        sensitivities: of the weights that are still looked at.
        rng: draws the signs.
        projections: some or all of `BOTH`.
    """
    import tensorflow as tf

    elements = sum(int(np.count_nonzero(ruler)) for ruler in view.rulers)
    for most in projections if elements > _FEW else (None,):
        pending = [each for each in sensitivities if not each.settled(single=most is None)]
        if not pending:
            continue
        # A persistent tape would serve both projections, but TensorFlow builds gradients of higher orders for it.
        with safe_convolutions():
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([each.weight.variable for each in sensitivities])
                outputs = list(program.core(*view.tensors))
            _learn(tape, outputs, pending, _directions(view, rng, most))


def _learn(
    tape: Any, outputs: Sequence[Any], sensitivities: Sequence[Sensitivity], directions: Sequence[Array]
) -> None:
    """Add one projection of the outputs to the sensitivities."""
    import tensorflow as tf

    used = [
        (output, direction)
        for output, direction in zip(outputs, directions, strict=True)
        if (output.dtype.is_floating or output.dtype.is_complex) and direction.any()
    ]
    if not used:
        return
    count = sum(int(np.count_nonzero(direction)) for _, direction in used)
    spread = min(float(count), _GENEROUS * math.sqrt(count))
    # Half precision would overflow where the limit is small.
    largest = max(float(np.abs(direction).max()) for _, direction in used)
    seeds = [tf.cast(direction / largest, output.dtype) for output, direction in used]
    variables = [each.weight.variable for each in sensitivities]
    found = tape.gradient([output for output, _ in used], variables, output_gradients=seeds)
    for sensitivity, gradient in zip(sensitivities, found, strict=True):
        if isinstance(gradient, tf.IndexedSlices):
            rows, summed = _summed(gradient)
            sensitivity.add(summed, spread / largest, rows)
        elif gradient is not None:
            sensitivity.add(np.asarray(tf.cast(gradient, tf.float32)), spread / largest)


def _summed(gradient: Any) -> tuple[Array, Array]:
    """The rows of a sparse gradient, each once."""
    import tensorflow as tf

    rows, places = np.unique(gradient.indices.numpy(), return_inverse=True)
    values = np.asarray(tf.cast(gradient.values, tf.float32))
    summed = np.zeros((len(rows), *values.shape[1:]), np.float32)
    np.add.at(summed, places.ravel(), values)
    return rows, summed


def _directions(view: View, rng: np.random.Generator, most: int | None) -> list[Array]:
    """Random signs times the rulers, of all elements or of a few."""
    directions = [np.asarray(ruler * rng.choice([-1.0, 1.0], ruler.shape)) for ruler in view.rulers]
    if most is None:
        return directions
    flat = np.concatenate([each.ravel() for each in directions])
    sizes = np.concatenate([np.ravel(each) for each in view.sizes]) * np.abs(flat)
    weights = sizes + (sizes.max() * 1e-3 or 1.0) * (flat != 0)
    kept = rng.choice(len(flat), most, replace=False, p=weights / weights.sum())
    chosen = np.zeros_like(flat)
    chosen[kept] = flat[kept]
    ends = np.cumsum([each.size for each in directions])[:-1]
    return [part.reshape(each.shape) for part, each in zip(np.split(chosen, ends), directions, strict=True)]
