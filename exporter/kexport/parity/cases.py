"""Inputs worth trying: random ones of several sizes, and the corners of the domain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from kexport.bundle.domain import Domain, Samples
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import ModelError

SEED = 20240607
#: Lengths tried for dynamic axes, in this order; those that the model refuses are left out.
_LENGTHS = (16, 7, 33, 1, 64, 128, 224)
_ENOUGH_LENGTHS = 4
_BATCHES = (1, 2, 5)

Feeds = dict[str, Array]
_Pattern = Callable[[tuple[int, ...]], Array]


def plan(
    signature: Signature, domains: Mapping[str, Domain], accepts: Callable[[Feeds], str | None], seed: int = SEED
) -> Iterator[tuple[str, Feeds]]:
    """Labelled inputs for a model.

    Args:
        signature: of the model.
        domains: one an input.
        accepts: why the model refuses some feeds, None when it takes them; asked once a length.
        seed: of the random ones.

    Raises:
        ModelError: the model refuses every length that was tried.
    """
    rng = np.random.default_rng(seed)
    inputs = signature.inputs
    if any(isinstance(domains[spec.name], Samples) for spec in inputs):
        yield from _recorded(inputs, domains, rng)
        return
    lengths = list(_accepted_lengths(inputs, domains, accepts, rng))
    for batch, length in zip(_BATCHES, [*lengths, *lengths, *lengths], strict=False):
        yield _random(inputs, domains, rng, batch, length)
    for length in lengths[len(_BATCHES) :]:
        yield _random(inputs, domains, rng, 2, length)
    patterns = {name for spec in inputs for name in _patterns(domains[spec.name], spec)}
    for name in sorted(patterns):
        feeds = {}
        for spec in inputs:
            shape = _shape(spec, 2, lengths[0])
            own = _patterns(domains[spec.name], spec)
            value = own[name](shape) if name in own else domains[spec.name].sample(rng, shape)
            feeds[spec.name] = np.asarray(value).astype(spec.numpy_dtype)
        yield name, feeds


def _accepted_lengths(
    inputs: Sequence[TensorSpec],
    domains: Mapping[str, Domain],
    accepts: Callable[[Feeds], str | None],
    rng: np.random.Generator,
) -> Iterator[int]:
    if not any(None in spec.shape[1:] for spec in inputs):
        yield 1
        return
    found, reason = 0, None
    for length in _LENGTHS:
        _, feeds = _random(inputs, domains, rng, 1, length)
        refusal = accepts(feeds)
        if refusal is None:
            found += 1
            yield length
        reason = refusal or reason
        if found == _ENOUGH_LENGTHS:
            return
    if not found:
        raise ModelError(
            "the model refuses every length that was tried for its dynamic axes",
            got=reason,
            expected=f"one of {', '.join(map(str, _LENGTHS))} to fit",
            hint="give recorded samples as the domain of its inputs",
        )


def _recorded(
    inputs: Sequence[TensorSpec], domains: Mapping[str, Domain], rng: np.random.Generator
) -> Iterator[tuple[str, Feeds]]:
    """Recorded samples, the same rows of every input that has as many; random values for the other inputs."""
    arrays = {spec.name: domain.values for spec in inputs if isinstance(domain := domains[spec.name], Samples)}
    count = min(len(array) for array in arrays.values())
    fixed = {spec.shape[0] for spec in inputs if spec.shape and spec.shape[0] is not None}
    batches = [fixed.pop()] if fixed else sorted({1, min(2, count), min(5, count), min(32, count)})
    dynamic = [
        arrays[spec.name].shape[axis]
        for spec in inputs
        if spec.name in arrays
        for axis in range(1, len(spec.shape))
        if spec.shape[axis] is None and axis < arrays[spec.name].ndim
    ]
    length = dynamic[0] if dynamic else _LENGTHS[0]
    start = 0
    for batch in batches:
        rows = np.arange(start, start + batch) % count
        start += batch
        feeds = {}
        for spec in inputs:
            domain = domains[spec.name]
            value: Array = (
                arrays[spec.name][rows] if spec.name in arrays else domain.sample(rng, _shape(spec, batch, length))
            )
            feeds[spec.name] = np.asarray(value).astype(spec.numpy_dtype, order="C")
        yield f"recorded samples, batch {batch}", feeds


def _random(
    inputs: Sequence[TensorSpec], domains: Mapping[str, Domain], rng: np.random.Generator, batch: int, length: int
) -> tuple[str, Feeds]:
    feeds = {
        spec.name: np.asarray(domains[spec.name].sample(rng, _shape(spec, batch, length))).astype(spec.numpy_dtype)
        for spec in inputs
    }
    dynamic = any(None in spec.shape[1:] for spec in inputs)
    return f"random, batch {batch}" + (f", length {length}" if dynamic else ""), feeds


def _shape(spec: TensorSpec, batch: int, length: int) -> tuple[int, ...]:
    sizes = [length if size is None else size for size in spec.shape]
    if spec.shape and spec.shape[0] is None:
        sizes[0] = batch
    return tuple(sizes)


def _patterns(domain: Domain, spec: TensorSpec) -> dict[str, _Pattern]:
    """Whole tensors built from the corners of the domain."""
    corners = domain.corners()
    if not corners or spec.numpy_dtype.kind == "U":
        return {}
    low, high = min(corners), max(corners)
    rest = 0.0 if low <= 0 <= high else low

    def impulse(shape: tuple[int, ...]) -> Array:
        values = np.full((shape[0], int(np.prod(shape[1:]))), rest)
        values[:, values.shape[1] // 2] = high
        return values.reshape(shape)

    def alternating(shape: tuple[int, ...]) -> Array:
        return np.where(np.arange(int(np.prod(shape))) % 2 == 0, low, high).reshape(shape)

    patterns: dict[str, _Pattern] = {
        "all at the lower end": lambda shape: np.full(shape, low),
        "all at the upper end": lambda shape: np.full(shape, high),
        "alternating ends": alternating,
    }
    if spec.shape:
        patterns["impulse"] = impulse
    if low <= 0 <= high:
        patterns["zeros"] = lambda shape: np.zeros(shape)
        if spec.is_float:
            # 2**-10 of the range: small, and far from where kernels may flush subnormal numbers to zero.
            patterns["small values"] = lambda shape: alternating(shape) * 2.0**-10
    return patterns
