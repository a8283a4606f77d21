"""tf2onnx with sets that keep their order, so that it writes the same file each time.

Python orders a set by the hashes of its members: those of text differ from process to process, and those of nodes are
addresses in memory. tf2onnx goes through such sets where it numbers and merges nodes, and writes addresses into names.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Hashable, Iterable, Iterator, MutableSet
from typing import Any, TypeVar

T = TypeVar("T", bound=Hashable)

_FIRST_NUMBER = 1 << 40  # tf2onnx keeps numbers of inputs, which are small, among those of objects


class OrderedSet(MutableSet[T]):
    """A set whose members have the order in which they were added.

    Args:
        members: the first members.
    """

    def __init__(self, members: Iterable[T] = ()) -> None:
        self._members = dict.fromkeys(members)

    def __contains__(self, member: object) -> bool:
        return member in self._members

    def __iter__(self) -> Iterator[T]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def add(self, value: T) -> None:
        self._members[value] = None

    def discard(self, value: T) -> None:
        self._members.pop(value, None)

    def pop(self) -> T:
        return self._members.popitem()[0]

    def union(self, *others: Iterable[T]) -> OrderedSet[T]:
        """The members of this set and of others."""
        return OrderedSet(member for each in (self, *others) for member in each)

    def update(self, *others: Iterable[T]) -> None:
        """Add the members of others."""
        self._members.update(dict.fromkeys(member for each in others for member in each))

    def intersection(self, other: Iterable[T]) -> OrderedSet[T]:
        """The members that another set has too."""
        kept = set(other)
        return OrderedSet(member for member in self if member in kept)

    def difference(self, other: Iterable[T]) -> OrderedSet[T]:
        """The members that another set does not have."""
        left = set(other)
        return OrderedSet(member for member in self if member not in left)

    def issubset(self, other: Iterable[T]) -> bool:
        """Whether another set has all members."""
        return self <= set(other)


class _Numbers:
    """Numbers objects in the order in which it first sees them, and keeps them alive."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, object]] = {}

    def __call__(self, value: object) -> int:
        return self._seen.setdefault(id(value), (_FIRST_NUMBER + len(self._seen), value))[0]


@contextlib.contextmanager
def ordered_sets() -> Iterator[None]:
    """Within the block, tf2onnx' modules use ordered sets, and numbers in place of addresses."""
    import tf2onnx.optimizer
    import tf2onnx.tfonnx  # noqa: F401  both, so that all modules are there

    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == "tf2onnx"]
    shadows: dict[str, Any] = {"set": OrderedSet, "id": _Numbers()}
    with contextlib.ExitStack() as stack:
        for module in modules:
            for name, shadow in shadows.items():
                if name not in vars(module):
                    setattr(module, name, shadow)
                    stack.callback(delattr, module, name)
        yield
