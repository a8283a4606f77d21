"""Inputs like recordings: numbers that change slowly along every axis, at levels and sizes of their own.

What detects something answers to noise with silence, as its training taught it; independent numbers are noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from kexport.bundle.domain import Domain, Samples
from kexport.bundle.signature import Array, TensorSpec
from kexport.parity.corner_inputs import Feeds

Shapes = Mapping[str, tuple[int, ...]]
_SEED = 20240611
_SMALLEST = 1 / 64  # share of the domain's width that a field deviates by, at least
_LARGEST = 1 / 2


def of(inputs: Sequence[TensorSpec], domains: Mapping[str, Domain], shapes: Shapes, count: int) -> Iterator[Feeds]:
    """Inputs of independent samples, each smooth in itself.

    Args:
        inputs: the inputs of the model.
        domains: one per input; one that cannot be smooth is drawn from its domain.
        shapes: the shape of each input, with the number of samples.
        count: how many.
    """
    rng = np.random.default_rng(_SEED)
    for _ in range(count):
        yield {spec.name: _samples(rng, spec, domains[spec.name], shapes[spec.name]) for spec in inputs}


def passage(
    inputs: Sequence[TensorSpec], domains: Mapping[str, Domain], shapes: Shapes, calls: int, number: int
) -> list[Feeds]:
    """Inputs of successive calls, smooth from one to the next, for a model that keeps state between them.

    In every second one, the second axis of an input goes on where it ended in the call before, as frames of sound do.

    Args:
        inputs: as in `of`.
        domains: likewise.
        shapes: the shape of each input.
        calls: how many calls.
        number: which passage.
    """
    rng = np.random.default_rng([_SEED, number])
    fed = {}
    for spec in inputs:
        shape, domain = shapes[spec.name], domains[spec.name]
        if not _is_smooth(spec, domain):
            fed[spec.name] = [_drawn(rng, spec, domain, shape) for _ in range(calls)]
            continue
        flowing = number % 2 == 1 and len(shape) > 1 and shape[0] == 1
        whole = (calls * shape[1], *shape[2:]) if flowing else (calls, *shape)
        field = _placed(rng, spec, domain, _field(rng, whole))
        fed[spec.name] = list(field.reshape(calls, *shape))
    return [{name: values[call] for name, values in fed.items()} for call in range(calls)]


def _samples(rng: np.random.Generator, spec: TensorSpec, domain: Domain, shape: tuple[int, ...]) -> Array:
    if not _is_smooth(spec, domain) or len(shape) < 2:
        return _drawn(rng, spec, domain, shape)
    return np.stack([_placed(rng, spec, domain, _field(rng, shape[1:])) for _ in range(shape[0])]).reshape(shape)


def _drawn(rng: np.random.Generator, spec: TensorSpec, domain: Domain, shape: tuple[int, ...]) -> Array:
    return np.asarray(domain.sample(rng, shape)).astype(spec.numpy_dtype)


def _is_smooth(spec: TensorSpec, domain: Domain) -> bool:
    """Whether the numbers of an input lie in a range: those of a narrow integer dtype do, as images and sound have."""
    ranged = not domain.is_discrete if spec.is_float else spec.numpy_dtype.kind in "iu" and domain.spread() > 1
    return ranged and not isinstance(domain, Samples) and len(set(domain.corners())) > 1


def _field(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Normal numbers, smoothed along each axis over a length of its own; of mean 0 and deviation 1."""
    values: Array = rng.standard_normal(shape)
    for axis, size in enumerate(shape):
        if size > 1:
            length = math.exp(rng.uniform(math.log(0.25), math.log(max(1.0, size / 4))))
            gain = np.exp(-0.5 * (2 * math.pi * length * np.fft.rfftfreq(2 * size)) ** 2)  # twice: it must not wrap
            spectrum = np.fft.rfft(values, 2 * size, axis) * gain.reshape(-1, *[1] * (len(shape) - axis - 1))
            values = np.take(np.fft.irfft(spectrum, 2 * size, axis), np.arange(size), axis)
    deviation = float(values.std())
    return np.asarray((values - values.mean()) / (deviation or 1.0))


def _placed(rng: np.random.Generator, spec: TensorSpec, domain: Domain, field: Array) -> Array:
    """A field around a random level of the domain, and within it."""
    corners = domain.corners()
    low, width = min(corners), float(max(corners)) - float(min(corners))
    deviation = width * math.exp(rng.uniform(math.log(_SMALLEST), math.log(_LARGEST)))
    values = low + width * rng.uniform() + deviation * field
    projected = domain.project(values)
    return np.asarray(projected if spec.is_float else np.rint(projected)).astype(spec.numpy_dtype)
