"""Types of the arguments and results of layers; Keras ships none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from kexport.contracts import About, Contract

#: Numbers that a layer computes with before it runs.
Array: TypeAlias = NDArray[np.float64]
#: The shape of a tensor; None is a dynamic axis.
Shape: TypeAlias = tuple[int | None, ...]
#: The arguments of a constructor, as Keras serialises them.
Config: TypeAlias = dict[str, object]
#: What `contracts()` of a layer returns.
Contracts: TypeAlias = "Sequence[Contract | About]"


class Tensor(Protocol):
    """A tensor of the backend, a KerasTensor or a NumPy array."""

    @property
    def dtype(self) -> object:
        """The type of its elements."""
        ...

    @property
    def shape(self) -> Shape:
        """Its shape."""
        ...

    def __add__(self, other: object, /) -> Tensor: ...

    def __sub__(self, other: object, /) -> Tensor: ...

    def __mul__(self, other: object, /) -> Tensor: ...

    def __neg__(self) -> Tensor: ...

    def __getitem__(self, index: object, /) -> Tensor: ...
