"""Pairs the inputs and outputs of two models: by a map, by name, or because nothing else is left."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kexport.bundle.signature import TensorSpec
from kexport.errors import UsageError

_ADDED = re.compile(r"^(?:serving_default_)?(.+?)(?::0)?$")  # how TensorFlow decorates a name in a TFLite file


@dataclass(frozen=True)
class TensorPair:
    """An input or output of A, and its counterpart in B.

    Attributes:
        a: that of A.
        b: that of B.
        axis: the one that counts samples in both; in what both share it is the first.
    """

    a: TensorSpec
    b: TensorSpec
    axis: int = 0

    @property
    def problem(self) -> str:
        """Why values of one do not fit the other; empty when they do."""
        names = self.a.name if self.a.name == self.b.name else f"{self.a.name} = {self.b.name}"
        sizes = zip(self.a.shape, self.b.shape, strict=False)
        if self.a.numpy_dtype.kind == self.b.numpy_dtype.kind == "U" or self.a.numpy_dtype == self.b.numpy_dtype:
            same = len(self.a.shape) == len(self.b.shape) and all(None in pair or pair[0] == pair[1] for pair in sizes)
            return "" if same else f"{names} is {self.a} in A and {self.b} in B: the shapes differ"
        return f"{names} is {self.a} in A and {self.b} in B: the dtypes differ"

    @property
    def common(self) -> TensorSpec:
        """What fits both, by the name of A; an axis that is dynamic in one of them has the size of the other."""
        pairs = zip(self.a.shape, self.b.shape, strict=True)
        sizes = [theirs if ours is None else ours for ours, theirs in pairs]
        return replace(self.a, shape=(*sizes[self.axis : self.axis + 1], *sizes[: self.axis], *sizes[self.axis + 1 :]))


def paired(
    kind: str, a: Sequence[TensorSpec], b: Sequence[TensorSpec], names: Mapping[str, str]
) -> tuple[list[TensorPair], list[str]]:
    """The pairs in the order of A, and notes on what names do not show.

    Args:
        kind: `"input"` or `"output"`.
        a: those of A.
        b: those of B.
        names: the user's map from names of A to names of B; entries of the other kind are ignored.

    Raises:
        UsageError: something has no partner.
    """
    ours, theirs = {spec.name: spec for spec in a}, {spec.name: spec for spec in b}
    partners = {name: other for name, other in names.items() if name in ours and other in theirs}
    for same in (str, _plain):
        free = _by_key([name for name in theirs if name not in partners.values()], same)
        mine = _by_key([name for name in ours if name not in partners], same)
        partners |= {name: free[key] for key, name in mine.items() if key in free}
    notes = [f"{kind} {name} of A is {other} of B, the name that TensorFlow gave it" for name, other in partners.items()
             if name != other and names.get(name) != other]  # fmt: skip
    left = [s for s in a if s.name not in partners], [s for s in b if s.name not in partners.values()]
    if any(left):
        if [len(side) for side in left] != [1, 1] or not _alike(left[0][0], left[1][0]):
            raise _unpaired(kind, a, b, left)
        name, other = left[0][0].name, left[1][0].name
        partners[name] = other
        notes.append(f"{kind} {name} of A is paired with {other} of B: nothing else is left, and they match")
    pairs = [TensorPair(spec, theirs[partners[spec.name]]) for spec in a]
    if [pair.b.name for pair in pairs] != [spec.name for spec in b]:
        notes.append(f"{kind}s of B come in another order, for who takes them by place: {', '.join(theirs)}")
    return pairs, notes


def batch_symbol(inputs: Sequence[TensorSpec]) -> str:
    """What a model calls the number of samples, where that is the first axis of one input and a later one of another.

    Empty where the first axis counts the samples of every input, or where that cannot be told.
    """
    leading = {spec.symbols[0] for spec in inputs if spec.symbols and spec.symbols[0]}
    (symbol,) = leading if len(leading) == 1 else ("",)
    return symbol if symbol and any(symbol in spec.symbols[1:] for spec in inputs) else ""


def batch_first(pairs: Sequence[TensorPair], symbol: str, declared: Sequence[TensorSpec]) -> list[TensorPair]:
    """The pairs, with the axis that counts samples as the artifact of A declares it.

    Args:
        pairs: inputs or outputs.
        symbol: what A calls the number of samples.
        declared: what A declares of them.
    """
    symbols = {spec.name: spec.symbols for spec in declared}
    found = [symbols.get(pair.a.name, ()) for pair in pairs]
    return [replace(pair, axis=names.index(symbol) if symbol and symbol in names else 0)
            for pair, names in zip(pairs, found, strict=True)]  # fmt: skip


def unnamed_batch_first(pairs: Sequence[TensorPair]) -> list[TensorPair]:
    """The pairs, where a later axis is taken for the one that counts samples: the only open one of a state.

    Empty where none is like that, or where the first axis of no input is open.
    """
    shapes = [pair.common.shape for pair in pairs]
    later = [shape.index(None) if shape[:1] != (None,) and shape.count(None) == 1 else 0 for shape in shapes]
    if not any(later) or all(shape[:1] != (None,) for shape in shapes):
        return []
    return [replace(pair, axis=axis) for pair, axis in zip(pairs, later, strict=True)]


def require_names(names: Mapping[str, str], a: Sequence[TensorSpec], b: Sequence[TensorSpec]) -> None:
    """Raise `UsageError` unless the map leads from names of A to names of B, each of them once."""
    for ours, theirs in names.items():
        for side, name, specs in (("A", ours, a), ("B", theirs, b)):
            if not any(spec.name == name for spec in specs):
                raise UsageError(
                    f"--map {ours}={theirs}: {side} has no input or output {name!r}",
                    expected="one of " + ", ".join(spec.name for spec in specs),
                )
        if list(names.values()).count(theirs) > 1:
            raise UsageError(f"--map names {theirs!r} of B twice", expected="each name of B at most once")


def _by_key(names: Sequence[str], key: Callable[[str], str]) -> dict[str, str]:
    """NameMap by their keys, but for keys that several names have."""
    keys = [key(name) for name in names]
    return {each: name for each, name in zip(keys, names, strict=True) if keys.count(each) == 1}


def _plain(name: str) -> str:
    match = _ADDED.match(name)
    return match[1] if match else name


def _alike(one: TensorSpec, other: TensorSpec) -> bool:
    return one.dtype == other.dtype and len(one.shape) == len(other.shape)


def _unpaired(
    kind: str, a: Sequence[TensorSpec], b: Sequence[TensorSpec], left: tuple[list[TensorSpec], list[TensorSpec]]
) -> UsageError:
    texts = [", ".join(f"{spec.name} {spec}" for spec in side) or "nothing" for side in (*left, a, b)]
    return UsageError(
        f"the {kind}s of A and B cannot be paired by their names",
        got=f"without a partner: {texts[0]} in A; {texts[1]} in B",
        expected=f"{texts[2]} in A; {texts[3]} in B, each with a partner",
        hint="--map A_NAME=B_NAME" if all(left) else "one model has more of them than the other",
    )
