"""Inputs that carry outputs as far as the domain lets them, where the ranges of integers must hold everywhere in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from kexport.bundle.domain import Domain, Samples, placed
from kexport.bundle.goldens import Golden
from kexport.bundle.signature import Array
from kexport.factory.precisions.calibration import SEED, Feeds, finite_rows, longest, whole_ranges
from kexport.factory.trace import Program
from kexport.runtimes.keras_model import to_tensor

_ROUNDS = 4  # each of other elements of the outputs
_ROUNDING = 1e-5  # relative to the largest slope
_STEPS = 3  # of a function that is linear, the first one arrives


def reaching_inputs(
    program: Program, domains: Mapping[str, Domain], goldens: Sequence[Golden], *, between: bool
) -> Iterator[Feeds]:
    """Inputs whose every element is at that end of its domain to which some elements of an output rise, or fall.

    A sum of many terms reaches its extremes where each term does, which neither random inputs nor patterns meet. These
    follow from the signs of gradients: exactly for linear functions, and by a few steps for others.

    Args:
        program: the traced model; where it has no gradients, there are no such inputs.
        domains: of its inputs; where one is recorded, and not `between`, the recording says how far they reach.
        goldens: it begins at the longest of them.
        between: whether recorded floats stand for all between their least and largest values.
    """
    reached = whole_ranges(domains) if between else domains
    start = finite_rows(longest(goldens))
    if start is None or any(isinstance(domain, Samples) for domain in reached.values()):
        return
    for output, spec in enumerate(program.signature.outputs):
        if spec.numpy_dtype.kind != "f":
            continue
        for turn in range(2 * _ROUNDS):
            feeds = start
            for _ in range(_STEPS):
                # The same elements in both directions, and at each step.
                slopes = _slopes(program, feeds, output, np.random.default_rng([SEED, turn // 2]))
                if not any(slope.any() for slope in slopes.values()):
                    break
                feeds = _moved(feeds, slopes, reached, upwards=turn % 2 == 0)
                if finite_rows(feeds) is not feeds:  # the domain itself holds infinity
                    break
                yield feeds
    program.reset()


def _moved(feeds: Feeds, slopes: Mapping[str, Array], domains: Mapping[str, Domain], *, upwards: bool) -> Feeds:
    """The input with each element at an end; where the slope is 0, it stays."""
    moved = dict(feeds)
    for name, slope in slopes.items():
        corners = domains[name].corners()
        if corners:
            there = placed(domains[name], np.where((slope > 0) == upwards, max(corners), min(corners)))
            moved[name] = np.where(slope == 0, feeds[name], there).astype(feeds[name].dtype)
    return moved


def _slopes(program: Program, feeds: Feeds, output: int, rng: np.random.Generator) -> dict[str, Array]:
    """By input, the gradient of one element of the output, or of one in each row where rows are samples."""
    import tensorflow as tf

    tensors = [to_tensor(spec.dtype, feeds[spec.name]) for spec in program.signature.inputs]
    pairs = zip(program.signature.inputs, tensors, strict=True)
    floats = {spec.name: tensor for spec, tensor in pairs if spec.numpy_dtype.kind == "f"}
    try:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(list(floats.values()))
            value = list(program.core(*tensors))[output]
        direction = _direction(tuple(value.shape), rng)
        found = tape.gradient(value, list(floats.values()), output_gradients=tf.constant(direction, value.dtype))
    except Exception:  # noqa: BLE001  the model's own code, and the gradients of its operations, may raise anything
        return {}
    slopes = zip(floats, found, strict=True)
    return {name: _clear(np.asarray(tf.cast(slope, tf.float64))) for name, slope in slopes if slope is not None}


def _clear(slope: Array) -> Array:
    """The gradient without what may be rounding alone, whose sign is another one on another machine."""
    finite = np.nan_to_num(slope, posinf=0.0, neginf=0.0)
    return np.where(np.abs(finite) > _ROUNDING * np.abs(finite).max(initial=0.0), finite, 0.0)


def _direction(shape: Sequence[int], rng: np.random.Generator) -> Array:
    rows = np.zeros((shape[0] if shape else 1, int(np.prod(shape[1:]))))
    if rows.size:
        rows[np.arange(len(rows)), rng.integers(rows.shape[1], size=len(rows))] = 1.0
    return rows.reshape(shape)
