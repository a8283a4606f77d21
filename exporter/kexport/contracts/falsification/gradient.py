"""Steepest ascent by finite differences: small steps estimate the gradient, long steps follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from kexport.bundle.signature import Array
from kexport.parity.space import Population, Space

_DIRECTIONS = 128  # coordinates, or random directions where there are more coordinates
_STEP = 1e-3  # of the width of the domain
_LENGTHS = 10.0 ** np.linspace(-4, 0, 12)  # of the width of the domain
_MOST_LENGTHS = 2.0


def ascent(
    merit: Callable[[Population], Array], space: Space, start: Population, rng: np.random.Generator
) -> Iterator[Population]:
    """Yields one population: samples uphill of `start`; nothing where no gradient can be estimated.

    Args:
        merit: what to climb, for each sample of a population.
        space: the space of the samples.
        start: one sample.
        rng: draws the directions where there are too many coordinates.
    """
    names = [name for name, values in start.items() if values.dtype.kind == "f" and space.widths(name) > 0]
    sizes = {name: start[name].size for name in names}
    total = sum(sizes.values())
    if not total:
        return
    directions = np.eye(total) if total <= _DIRECTIONS else rng.choice([-1.0, 1.0], (_DIRECTIONS, total))
    up = _moved(space, start, sizes, _STEP * directions)
    down = _moved(space, start, sizes, -_STEP * directions)
    values = merit({name: np.concatenate([up[name], down[name]]) for name in start})
    slopes = values[: len(directions)] - values[len(directions) :]
    if not np.isfinite(slopes).all() or not slopes.any():
        return
    gradient = slopes @ directions
    gradient /= np.abs(gradient).max()
    steps = np.concatenate([_LENGTHS[:, None] * gradient, _LENGTHS[:, None] * np.sign(gradient)])
    yield _moved(space, start, sizes, _MOST_LENGTHS * steps)


def _moved(space: Space, start: Population, sizes: dict[str, int], steps: Array) -> Population:
    """Copies of one sample, each moved by a row of `steps`, in widths of the domains."""
    count, at = len(steps), 0
    moved = {name: np.repeat(values, count, axis=0) for name, values in start.items()}
    for name, size in sizes.items():
        shift = steps[:, at : at + size].reshape(moved[name].shape)
        moved[name] = moved[name].astype(np.float64) + space.widths(name) * shift
        at += size
    return space.project(moved)
