"""Where a model's inputs live: a range, integers, choices, or recorded data."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import UsageError, nearest

_WORDS = ("", "a", "the quick brown fox", "Hello, World!", "caf\u00e9 42", "  two  spaces ")
_FEW = 256  # values of a domain that can all be tried
_FARTHEST = 8  # deviations from the mean; beyond lies 1 in 10^15 of a normal distribution


class Domain(Protocol):
    """A set of values that an input may take. Its text, `str(domain)`, is what `parse` reads, without loss."""

    @property
    def is_discrete(self) -> bool:
        """Whether it holds single values only, between which nothing lies."""
        ...

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Values drawn from the domain, of the shape asked for, in any real dtype."""
        ...

    def corners(self) -> list[float]:
        """Single finite values at the edges of the domain, and 0 when it lies inside."""
        ...

    def points(self) -> Sequence[Any]:
        """Every value of a domain of few, NaN and infinity too; nothing for any other."""
        ...

    def project(self, values: Array) -> Array:
        """The nearest values of the domain, in the dtype and shape of `values`; texts stay as they are.

        NaN, unless it is a value of the domain, becomes the upper end; the imaginary part of a complex number, 0.
        """
        ...

    def spread(self) -> float:
        """How far a long step goes: the width of a range, the deviation of a distribution, 0 for choices."""
        ...


@dataclass(frozen=True)
class Uniform:
    """Real numbers between `low` and `high`, all equally likely."""

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        _require_order(self, self.low, self.high)

    @property
    def is_discrete(self) -> bool:  # noqa: D102  (Domain)
        return False

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102
        if math.isfinite(self.spread()):
            return rng.uniform(self.low, self.high, shape)
        share = rng.uniform(size=shape)  # the width itself overflows
        return np.asarray(self.low * (1 - share) + self.high * share)

    def corners(self) -> list[float]:  # noqa: D102
        zero = [0.0] if self.low < 0 < self.high else []
        return [self.low, self.high, *zero]

    def points(self) -> Sequence[Any]:  # noqa: D102
        return ()

    def project(self, values: Array) -> Array:  # noqa: D102
        return _clamped(values, self.low, self.high)

    def spread(self) -> float:  # noqa: D102
        return float(self.high) - float(self.low)

    def __str__(self) -> str:
        return f"uniform({_number(self.low)}, {_number(self.high)})"


@dataclass(frozen=True)
class Normal:
    """Real numbers around `mean` with standard deviation `deviation`.

    The corners lie four deviations out, and what is projected stays within eight.
    """

    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        if not self.deviation > 0:
            raise UsageError(f"{self} has no width", expected="a standard deviation above 0")

    @property
    def is_discrete(self) -> bool:  # noqa: D102
        return False

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102
        return rng.normal(self.mean, self.deviation, shape)

    def corners(self) -> list[float]:  # noqa: D102
        return [self.mean - 4 * self.deviation, self.mean + 4 * self.deviation, self.mean]

    def points(self) -> Sequence[Any]:  # noqa: D102
        return ()

    def project(self, values: Array) -> Array:  # noqa: D102
        reach = _FARTHEST * self.deviation
        return _clamped(values, self.mean - reach, self.mean + reach)

    def spread(self) -> float:  # noqa: D102
        return float(self.deviation)

    def __str__(self) -> str:
        return f"normal({_number(self.mean)}, {_number(self.deviation)})"


@dataclass(frozen=True)
class Ints:
    """Whole numbers from `low` to `high`, `high` left out."""

    low: int = 0
    high: int = 2

    def __post_init__(self) -> None:
        _require_order(self, self.low, self.high)
        if self.low < -(1 << 63) or self.high > (1 << 63 if self.low < 0 else 1 << 64):
            raise UsageError(f"{self} is wider than any dtype", expected="whole numbers of at most 64 bits")

    @property
    def is_discrete(self) -> bool:  # noqa: D102
        return True

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102
        return rng.integers(self.low, self.high, shape, dtype=np.uint64 if self.high > 1 << 63 else np.int64)

    def corners(self) -> list[float]:  # noqa: D102
        return sorted({self.low, self.high - 1})

    def points(self) -> Sequence[Any]:  # noqa: D102
        return range(self.low, self.high) if self.high - self.low <= _FEW else ()

    def project(self, values: Array) -> Array:  # noqa: D102
        if values.dtype.kind not in "iu":
            return _clamped(np.rint(_real(values)), self.low, self.high - 1).astype(values.dtype)
        own = np.iinfo(values.dtype)
        return np.clip(values, max(self.low, own.min), min(self.high - 1, own.max))

    def spread(self) -> float:  # noqa: D102
        return float(self.high - 1 - self.low)

    def __str__(self) -> str:
        return f"ints({self.low}, {self.high})"


@dataclass(frozen=True, init=False)
class Choice:
    """One of a few values, each equally likely: all numbers, NaN and infinity among them, or all texts."""

    values: tuple[float, ...] | tuple[str, ...]

    def __init__(self, *values: float | str) -> None:
        if not values:
            raise UsageError("choice() has nothing to choose from", expected="at least one value")
        plain = (value.item() if isinstance(value, np.generic) else value for value in values)
        # One object for every NaN: tuples that hold it are then equal.
        object.__setattr__(self, "values", tuple(math.nan if value != value else value for value in plain))

    @property
    def is_discrete(self) -> bool:  # noqa: D102
        return True

    @property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return isinstance(self.values[0], str)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102
        return rng.choice(np.asarray(self.values), shape)

    def corners(self) -> list[float]:  # noqa: D102
        numbers = sorted({value for value in self.values if not isinstance(value, str) and math.isfinite(value)})
        return numbers[:: max(1, len(numbers) - 1)]

    def points(self) -> Sequence[Any]:  # noqa: D102
        return self.values if len(self.values) <= _FEW else ()

    def project(self, values: Array) -> Array:  # noqa: D102
        if self.is_text:
            return values
        own, given = np.asarray(self.values, np.float64), np.asarray(_real(values), np.float64)
        ordered = np.unique(own[np.isfinite(own)])
        ordered = ordered if ordered.size else own[:1]
        above = np.minimum(np.searchsorted(ordered, given), len(ordered) - 1)
        below = np.maximum(above - 1, 0)
        found = np.where(given - ordered[below] <= ordered[above] - given, ordered[below], ordered[above])
        for special in own[~np.isfinite(own)]:
            found = np.where(np.isnan(given) if np.isnan(special) else given == special, special, found)
        return found.astype(values.dtype)

    def spread(self) -> float:  # noqa: D102
        return 0.0

    def __str__(self) -> str:
        return "choice(" + ", ".join(map(repr, self.values)) + ")"


@dataclass(frozen=True, eq=False)
class Samples:
    """Recorded data; the first axis counts the samples. What is projected stays between its least and largest values.

    Where less is asked for along another axis than was recorded, a sample is cut to its beginning.
    Its text tells the number of samples; their values lie in the bundle's `samples.npz`.
    """

    values: Array

    @property
    def is_discrete(self) -> bool:  # noqa: D102
        return self.values.dtype.kind not in "fc"

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102
        own = self.values.shape
        if len(own) != len(shape) or any(has < asked for has, asked in zip(own[1:], shape[1:], strict=True)):
            raise UsageError("the recorded samples are smaller", got=own[1:], expected=shape[1:])
        picked = self.values[rng.integers(0, len(self.values), shape[0])]
        cut: Array = picked[tuple(map(slice, shape))]
        return cut

    def corners(self) -> list[float]:  # noqa: D102
        return []  # recorded data says nothing of values that were not recorded

    def points(self) -> Sequence[Any]:  # noqa: D102
        return ()

    def project(self, values: Array) -> Array:  # noqa: D102
        if self.values.dtype.kind == "U":
            return values
        low, high = self._ends
        if values.shape[1:] != low.shape:  # of another length than the recording
            low, high = np.fmin.reduce(low, axis=None), np.fmax.reduce(high, axis=None)
        return np.fmax(np.fmin(_real(values), high), low).astype(values.dtype)

    def spread(self) -> float:  # noqa: D102
        return self._deviation

    @cached_property
    def _ends(self) -> tuple[Array, Array]:
        """The least and the largest value of every element; NaN counts for nothing."""
        values = _real(self.values)
        return np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)

    @cached_property
    def _deviation(self) -> float:
        if self.values.dtype.kind == "U":
            return 0.0
        values = np.asarray(_real(self.values), np.float64)
        finite = values[np.isfinite(values)]
        return float(finite.std()) if finite.size else 0.0

    def __str__(self) -> str:
        return f"samples({len(self.values)})"


_KINDS: dict[str, Callable[..., Domain]] = {
    "uniform": Uniform,
    "normal": Normal,
    "ints": Ints,
    "choice": Choice,
}


def parse(text: str) -> Domain:
    """The domain that a text such as `uniform(-5, 5)` or `ints(0, 10)` describes.

    Raises:
        UsageError: no such kind, or arguments that are not numbers or do not fit.
    """
    kind, _, rest = text.strip().partition("(")
    hint = "write uniform(LOW, HIGH), normal(MEAN, DEVIATION), ints(LOW, HIGH) or choice(A, B, ...)"
    if kind not in _KINDS or not rest.endswith(")"):
        close = nearest(kind, _KINDS) if rest.endswith(")") else hint
        raise UsageError(f"unreadable domain {text!r}", expected=hint, hint=close)
    try:
        arguments = _arguments(rest[:-1])
        texts = kind == "choice" and all(isinstance(a, str) for a in arguments)
        if not texts and not all(isinstance(a, int | float) for a in arguments):
            raise ValueError
        if not texts and not all(map(math.isfinite, arguments)) and kind != "choice":
            raise ValueError  # no range ends there; that such a value happens is said by choice(0.0, nan)
        if kind == "ints" and not all(isinstance(a, int) for a in arguments):
            raise ValueError
        return _KINDS[kind](*arguments)
    except (ValueError, SyntaxError, TypeError, OverflowError, RecursionError, MemoryError):
        raise UsageError(f"unreadable domain {text!r}", expected=hint) from None


def default_for(spec: TensorSpec) -> Domain:
    """The domain of an input that nobody declared one for."""
    kind = spec.numpy_dtype.kind
    if kind in "fc":
        return Uniform(-1.0, 1.0)
    if kind == "b":
        return Choice(0, 1)
    return Choice(*_WORDS) if kind == "U" else Ints(0, 2)


def _arguments(text: str) -> list[Any]:
    """The literals in a list of arguments, of which `nan` and `inf` are two."""
    if not text.strip():
        return []
    found = ast.parse(f"({text},)", mode="eval").body
    if not isinstance(found, ast.Tuple):
        raise ValueError
    return [_literal(node) for node in found.elts]


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Name) and node.id in ("nan", "inf"):
        return float(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_literal(node.operand)
    return ast.literal_eval(node)


def _number(value: float) -> str:
    """A number as `parse` reads it back, to the last bit; a whole one without its point."""
    own = value.item() if isinstance(value, np.generic) else value
    whole = isinstance(own, float) and own.is_integer() and abs(own) < 1 << 53
    return str(int(own)) if whole and str(own) != "-0.0" else repr(own)


def _real(values: Array) -> Array:
    return values.real if values.dtype.kind == "c" else values


def _clamped(values: Array, low: float, high: float) -> Array:
    """Within the ends; NaN at the upper one."""
    given = np.asarray(_real(values), np.float64)
    return np.fmax(np.fmin(given, high), low).astype(values.dtype)


def _require_order(domain: Domain, low: float, high: float) -> None:
    if not low < high:
        raise UsageError(f"{domain} is empty", expected="the lower end first, and below the upper end")
