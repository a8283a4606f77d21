"""Simplifying a failing sample for as long as it still fails: delta debugging.

Source: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kexport.bundle.signature import Array
from kexport.parity.space import Population, Space

_LEVELS = 7  # sizes of the blocks that are reset together
_MOST_BLOCKS = 128
_DECIMALS = (0, 1, 2, 4)

#: For each sample of a population, whether it still fails.
Fails = Callable[[Population], Array]


def simplified(space: Space, sample: Population, fails: Fails) -> Population:
    """A sample that still fails, with as many elements at rest, and as few decimals, as possible.

    At rest an element is 0, or the number of the domain nearest to 0.

    Args:
        space: where samples come from.
        sample: arrays whose first axis has size 1.
        fails: whether samples still fail.
    """
    for name in sample:
        if sample[name].dtype.kind in "fiu" and space.domains[name].corners():
            sample = _at_rest(space, sample, name, fails)
            sample = _rounded(space, sample, name, fails)
    return sample


def _at_rest(space: Space, sample: Population, name: str, fails: Fails) -> Population:
    rest = space.project({**sample, name: np.zeros_like(sample[name])})[name]
    size = sample[name].size
    blocks = 1
    for _ in range(_LEVELS):
        pending = [block for block in np.array_split(np.arange(size), min(blocks, size)) if block.size]
        pending = [block for block in pending if (sample[name].flat[block] != rest.flat[block]).any()]
        tried = pending[:_MOST_BLOCKS]
        if tried:
            sample = _all_that_may(sample, name, rest, tried, fails)
        if blocks >= size:
            break
        blocks *= 4
    return sample


def _all_that_may(sample: Population, name: str, rest: Array, blocks: list[Array], fails: Fails) -> Population:
    """Reset the blocks that may be reset one by one: all of them if that still fails, else half of them, else one."""
    ones = [_with(sample, name, rest, [block]) for block in blocks]
    may = [block for block, still in zip(blocks, fails(_joined(ones)), strict=True) if still]
    halves = [may, may[: len(may) // 2], may[len(may) // 2 :]]
    for chosen in halves:
        if chosen:
            candidate = _with(sample, name, rest, chosen)
            if fails(candidate)[0]:
                return candidate
    return _with(sample, name, rest, may[:1]) if may else sample


def _rounded(space: Space, sample: Population, name: str, fails: Fails) -> Population:
    if sample[name].dtype.kind != "f":
        return sample
    ones = [space.project({**sample, name: np.round(sample[name], decimals)}) for decimals in _DECIMALS]
    for one, still in zip(ones, fails(_joined(ones)), strict=True):
        if still:
            return one
    return sample


def _with(sample: Population, name: str, rest: Array, blocks: list[Array]) -> Population:
    values = sample[name].copy()
    for block in blocks:
        values.flat[block] = rest.flat[block]
    return {**sample, name: values}


def _joined(samples: list[Population]) -> Population:
    return {name: np.concatenate([sample[name] for sample in samples]) for name in samples[0]}
