"""The protocol of every input domain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from kexport.bundle.signature import Array

FEW = 256  # values; a domain of at most that many is tried in full


class Domain(Protocol):
    """A set of values that an input may take. `parse(str(domain))` returns an equal domain, except for recordings."""

    @property
    def is_discrete(self) -> bool:
        """Whether it consists of isolated values."""
        ...

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Random values of the domain in the given shape, in any real dtype."""
        ...

    def corners(self) -> list[float]:
        """Finite values at the edges of the domain, and 0 if it lies inside."""
        ...

    def points(self) -> Sequence[float | str]:
        """Every value of a small domain, including NaN and infinity; empty for any other domain."""
        ...

    def project(self, values: Array) -> Array:
        """The nearest values of the domain, in the dtype and shape of `values`; texts are returned unchanged.

        NaN becomes the upper end unless the domain contains it; imaginary parts become 0.
        """
        ...

    def spread(self) -> float:
        """The size of a long step: the width of a range, the deviation of a distribution, 0 for choices."""
        ...
