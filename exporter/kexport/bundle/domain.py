"""Where a model's inputs live: a range, integers, choices, or recorded data."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import UsageError, nearest

_WORDS = ("", "a", "the quick brown fox", "Hello, World!", "caf\u00e9 42", "  two  spaces ")


class Domain(Protocol):
    """A set of values that an input may take. Its text, `str(domain)`, is what `parse` reads."""

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Values drawn from the domain, of the shape asked for, in any real dtype."""
        ...

    def corners(self) -> list[float]:
        """Single values at the edges of the domain, and 0 when it lies inside."""
        ...


@dataclass(frozen=True)
class Uniform:
    """Real numbers between `low` and `high`, all equally likely."""

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        _require_order(self, self.low, self.high)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102  (Domain)
        return rng.uniform(self.low, self.high, shape)

    def corners(self) -> list[float]:  # noqa: D102
        zero = [0.0] if self.low < 0 < self.high else []
        return [self.low, self.high, *zero]

    def __str__(self) -> str:
        return f"uniform({self.low:g}, {self.high:g})"


@dataclass(frozen=True)
class Normal:
    """Real numbers around `mean` with standard deviation `deviation`; the corners lie four deviations out."""

    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        if not self.deviation > 0:
            raise UsageError(f"{self} has no width", expected="a standard deviation above 0")

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102
        return rng.normal(self.mean, self.deviation, shape)

    def corners(self) -> list[float]:  # noqa: D102
        return [self.mean - 4 * self.deviation, self.mean + 4 * self.deviation, self.mean]

    def __str__(self) -> str:
        return f"normal({self.mean:g}, {self.deviation:g})"


@dataclass(frozen=True)
class Ints:
    """Whole numbers from `low` to `high`, `high` left out."""

    low: int = 0
    high: int = 2

    def __post_init__(self) -> None:
        _require_order(self, self.low, self.high)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102
        return rng.integers(self.low, self.high, shape)

    def corners(self) -> list[float]:  # noqa: D102
        return sorted({self.low, self.high - 1})

    def __str__(self) -> str:
        return f"ints({self.low}, {self.high})"


@dataclass(frozen=True, init=False)
class Choice:
    """One of a few values, each equally likely."""

    values: tuple[float, ...] | tuple[str, ...]

    def __init__(self, *values: float | str) -> None:
        if not values:
            raise UsageError("choice() has nothing to choose from", expected="at least one value")
        object.__setattr__(self, "values", values)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102
        return rng.choice(np.asarray(self.values), shape)

    def corners(self) -> list[float]:  # noqa: D102
        numbers = sorted({value for value in self.values if not isinstance(value, str)})
        return numbers[:: max(1, len(numbers) - 1)]

    def __str__(self) -> str:
        return "choice(" + ", ".join(map(repr, self.values)) + ")"


@dataclass(frozen=True, eq=False)
class Samples:
    """Recorded data; the first axis counts the samples."""

    values: Array

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:  # noqa: D102
        picked = self.values[rng.integers(0, len(self.values), shape[0])]
        if picked.shape != shape:
            raise UsageError("the recorded samples have one shape", got=picked.shape, expected=shape)
        return picked

    def corners(self) -> list[float]:  # noqa: D102
        return []  # recorded data says nothing of values that were not recorded

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
        arguments = ast.literal_eval(f"({rest[:-1]},)") if rest[:-1].strip() else ()
        texts = kind == "choice" and all(isinstance(a, str) for a in arguments)
        if not texts and not all(isinstance(a, int | float) and np.isfinite(a) for a in arguments):
            raise ValueError
        if kind == "ints" and not all(isinstance(a, int) for a in arguments):
            raise ValueError
        return _KINDS[kind](*arguments)
    except (ValueError, SyntaxError, TypeError):
        raise UsageError(f"unreadable domain {text!r}", expected=hint) from None


def default_for(spec: TensorSpec) -> Domain:
    """The domain of an input that nobody declared one for."""
    kind = spec.numpy_dtype.kind
    if kind in "fc":
        return Uniform(-1.0, 1.0)
    if kind == "b":
        return Choice(0, 1)
    return Choice(*_WORDS) if kind == "U" else Ints(0, 2)


def coerce(name: str, value: object, spec: TensorSpec) -> Domain:
    """The domain that a declaration means: a `Domain`, its text, a `(low, high)` pair, or an array of samples."""
    if isinstance(value, str):
        return parse(value)
    if _is_pair(value):
        low, high = np.asarray(value).tolist()
        return Uniform(low, high) if spec.is_float else Ints(int(low), int(high))
    if hasattr(value, "corners"):
        domain: Domain = value  # type: ignore[assignment]
        return domain
    samples = recorded(value)
    if samples is None or (samples.dtype.kind == "U") != (spec.numpy_dtype.kind == "U"):
        raise UsageError(
            f"the domain of input {name!r} is neither a range nor samples of {spec.dtype}",
            got=repr(value)[:60],
            expected="a text such as 'uniform(-5, 5)', a (low, high) pair, or an array whose first axis counts samples",
        )
    return Samples(samples)


def recorded(value: object) -> Array | None:
    """The samples that a declaration holds, None when it is something else."""
    if isinstance(value, Samples):
        return value.values
    if isinstance(value, str) or _is_pair(value) or hasattr(value, "corners"):
        return None
    samples: Array = np.asarray(value)
    if samples.dtype.kind in "OS":
        items = samples.ravel().tolist()
        if not all(isinstance(item, str | bytes) for item in items):
            return None
        texts = [item.decode(errors="surrogateescape") if isinstance(item, bytes) else item for item in items]
        samples = np.array(texts, dtype=str).reshape(samples.shape)
    return samples if samples.ndim and len(samples) else None


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value)


def _require_order(domain: Domain, low: float, high: float) -> None:
    if not low < high:
        raise UsageError(f"{domain} is empty", expected="the lower end first, and below the upper end")
