"""Declarations of domains: a `Domain`, its text, a pair, or recorded samples; and the default without one."""

from __future__ import annotations

import numpy as np

from kexport.bundle.conversion import ChangedValueError, converted
from kexport.bundle.domain import Choice, Domain, Features, Ints, Samples, Uniform, parse
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import UsageError

_TEXTS = ("", "a", "the quick brown fox", "Hello, World!", "caf\u00e9 42", "  two  spaces ")


def coerce(name: str, value: object, spec: TensorSpec) -> Domain:
    """The domain that a declaration describes: a `Domain`, its text, a `(low, high)` pair, or an array of samples.

    Raises:
        UsageError: it is none of these, or does not fit the dtype or shape of the input.
    """
    samples = recorded(value)
    if samples is not None:
        return Samples(_fitting(name, samples, spec))
    if isinstance(value, str):
        domain = parse(value)
    elif _is_pair(value):
        low, high = np.asarray(value).tolist()
        domain = Uniform(low, high) if spec.is_float else Ints(int(low), int(high))
    elif hasattr(value, "corners"):
        domain = value  # type: ignore[assignment]
    else:
        raise _unreadable(name, value, spec)
    _require_fit(name, domain, spec)
    return domain


def recorded(value: object) -> Array | None:
    """The samples of a declaration; None if it is not a recording."""
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
    return samples if samples.ndim and samples.size else None


def _fitting(name: str, samples: Array, spec: TensorSpec) -> Array:
    """The samples in the dtype of the input, if the shape fits and no value is changed by the cast."""
    if (samples.dtype.kind == "U") != (spec.numpy_dtype.kind == "U"):
        raise _unreadable(name, samples, spec)
    sizes = zip(samples.shape[1:], spec.shape[1:], strict=False)
    if samples.ndim != len(spec.shape) or any(expected not in (None, size) for size, expected in sizes):
        raise UsageError(
            f"the recorded samples of input {name!r} have the wrong shape",
            got=samples.shape,
            expected=spec.shape_text(),
            hint="the first axis counts the samples" if spec.shape else "declare a range: it takes a single value",
        )
    if spec.numpy_dtype.kind == "U":
        return samples
    try:
        return converted(samples, spec)
    except ChangedValueError as error:
        row, *place = error.index or ("",)
        raise UsageError(
            f"the recorded samples of input {name!r} do not fit dtype {spec.dtype}",
            got=f"{error.value} in row {row}" + f", at {tuple(place)}" * bool(place) if error.index else error.value,
            expected=error.expected,
        ) from None


def _require_fit(name: str, domain: Domain, spec: TensorSpec) -> None:
    """Raise `UsageError` for a domain with values that the dtype of the input cannot represent."""
    if isinstance(domain, Features):
        if spec.shape[-1:] != (len(domain.each),):
            raise UsageError(
                f"the domain of input {name!r} has another number of features",
                got=len(domain.each),
                expected=f"one for each index along the last axis of {spec.shape_text()}",
            )
        for each in domain.each:
            _require_fit(name, each, spec)
        return
    kind = spec.numpy_dtype.kind
    text = isinstance(domain, Choice) and domain.is_text
    if text != (kind == "U"):
        expected = "choice('a', 'b', ...), or recorded samples" if kind == "U" else "numbers"
        raise UsageError(f"{domain} does not fit input {name!r} of dtype {spec.dtype}", expected=expected)
    if text:
        return
    values = [*domain.corners(), *(domain.values if isinstance(domain, Choice) else ())]
    if kind in "fc":
        most = float(np.finfo(spec.numpy_dtype).max)
        fits = all(abs(value) <= most or not np.isfinite(value) for value in values)
        expected = f"at most {most:.3g}"
    else:
        low, high = (0, 1) if kind == "b" else (np.iinfo(spec.numpy_dtype).min, np.iinfo(spec.numpy_dtype).max)
        whole = not isinstance(domain, Choice) or all(value == np.rint(value) for value in values)
        fits = whole and all(low <= value <= high for value in values)
        expected = f"integers from {low} to {high}"
    if not fits:
        raise UsageError(f"{domain} does not fit input {name!r} of dtype {spec.dtype}", expected=expected)


def _unreadable(name: str, value: object, spec: TensorSpec) -> UsageError:
    return UsageError(
        f"the domain of input {name!r} is neither a range nor samples of dtype {spec.dtype}",
        got=" ".join(repr(value).split())[:60],
        expected="a string such as 'uniform(-5, 5)', a (low, high) pair, or an array whose first axis counts samples",
    )


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, int | float) for v in value)


def default_for(spec: TensorSpec) -> Domain:
    """The domain of an input of which nothing is known.

    Numbers from -1 to 1, all values of a narrow integer dtype, as images and sound have, the integers 0 and 1 of a wide
    one, or a few texts.
    """
    kind = spec.numpy_dtype.kind
    if kind in "fc":
        return Uniform(-1.0, 1.0)
    if kind == "b":
        return Choice(0, 1)
    if kind == "U":
        return Choice(*_TEXTS)
    if spec.numpy_dtype.itemsize <= 2:
        bounds = np.iinfo(spec.numpy_dtype)
        return Ints(int(bounds.min), int(bounds.max) + 1)
    return Ints(0, 2)
