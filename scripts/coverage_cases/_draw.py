"""Inputs of cases: name, shape and dtype, and how values are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_WORDS = ("the", "quick brown", "Fox!", "a b c", "unknown zz", "", "hello, World", "dog")


@dataclass(frozen=True)
class Draw:
    """One input, batch left out; `None` is a dynamic axis."""

    shape: tuple[int | None, ...]
    dtype: str
    values: Callable[[np.random.Generator, tuple[int, ...]], Array]

    def sample(self, rng: np.random.Generator, batch: int, length: int) -> Array:
        """Values for a batch; dynamic axes have this length, each a little more than the one before."""
        sizes = [length + axis if size is None else size for axis, size in enumerate(self.shape)]
        values = self.values(rng, (batch, *sizes))
        return (
            values if self.dtype == "string" else values.astype("float32" if self.dtype == "bfloat16" else self.dtype)
        )


def normal(*shape: int | None, scale: float = 1.0, dtype: str = "float32") -> Draw:
    """Real numbers around 0."""
    return Draw(shape, dtype, lambda rng, sizes: rng.normal(0, scale, sizes))


def uniform(low: float, high: float, *shape: int | None, dtype: str = "float32") -> Draw:
    """Real numbers of a range."""
    return Draw(shape, dtype, lambda rng, sizes: rng.uniform(low, high, sizes))


def integers(low: int, high: int, *shape: int | None, dtype: str = "int32") -> Draw:
    """Whole numbers from `low`, below `high`."""
    return Draw(shape, dtype, lambda rng, sizes: rng.integers(low, high, sizes))


def nonzero(high: int, *shape: int | None, dtype: str = "int32") -> Draw:
    """Whole numbers of either sign, never 0."""
    return Draw(shape, dtype, lambda rng, sizes: rng.integers(1, high, sizes) * rng.choice([-1, 1], sizes))


def booleans(*shape: int | None) -> Draw:
    """Truth values."""
    return Draw(shape, "bool", lambda rng, sizes: rng.random(sizes) > 0.4)


def choices(values: Any, *shape: int | None, dtype: str = "float32") -> Draw:
    """Some of a few values."""
    return Draw(shape, dtype, lambda rng, sizes: rng.choice(np.asarray(values), sizes))


def texts(*shape: int | None, words: tuple[str, ...] = _WORDS) -> Draw:
    """Some of a few strings."""
    return Draw(shape, "string", lambda rng, sizes: rng.choice(np.array(words, dtype=str), sizes))


def ended(draw: Draw) -> Draw:
    """The same, with zeros from some step of the first axis on, as in a padded sequence; never from the first."""

    def values(rng: np.random.Generator, sizes: tuple[int, ...]) -> Array:
        ends = rng.integers(1, sizes[1] + 1, (sizes[0], 1))
        kept = np.arange(sizes[1])[None] < ends
        return draw.values(rng, sizes) * kept.reshape(kept.shape + (1,) * (len(sizes) - 2))

    return Draw(draw.shape, draw.dtype, values)


def definite(size: int) -> Draw:
    """Symmetric matrices whose eigenvalues are well above 0."""

    def values(rng: np.random.Generator, sizes: tuple[int, ...]) -> Array:
        root = rng.normal(0, 1, sizes)
        return root @ root.swapaxes(-1, -2) + size * np.eye(size)

    return Draw((size, size), "float32", values)


def special(*shape: int | None) -> Draw:
    """Numbers among infinities and NaN."""
    return choices([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -2.0], *shape)


def halves(*shape: int | None) -> Draw:
    """Numbers half way between two whole ones, and others."""
    return choices([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.2, -3.7], *shape)


def pixels(*shape: int | None, dtype: str = "float32") -> Draw:
    """Images of 0 to 255."""
    return integers(0, 256, *shape, dtype=dtype) if dtype == "uint8" else uniform(0, 255, *shape, dtype=dtype)
