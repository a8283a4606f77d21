"""The inputs of goldens: random ones of several sizes, corners of the domain, and every recorded sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from kexport.bundle.domain import Domain, Samples
from kexport.bundle.samples import split, unit
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import ModelError
from kexport.parity import corner_inputs, listed_values
from kexport.parity.corner_inputs import Feeds

SEED = 20240607
#: Lengths tried for dynamic axes, in this order; the model may refuse some.
_LENGTHS = (16, 7, 33, 1, 64, 128, 224)
_ENOUGH_LENGTHS = 4
_LONG, _MOST_OF_LONG = (512, 1024), 1 << 16  # what a stranger's model of sound may need; elements of an input
#: One sample, more, fewer again: state that leaks from one call does not fit the next.
_BATCHES = (1, 5, 2)
_PATTERN_BATCHES = (2, 1, 3)
_RECORDED_BATCHES = (1, 2, 5)
_MOST_ROWS, _MOST_ELEMENTS = 1024, 1 << 18  # of a batch of recorded samples
_MIXED_PATTERNS = 4  # where some inputs are recorded, so many corners of the others

__all__ = ["SEED", "Feeds", "longer", "plan"]


def plan(
    signature: Signature,
    domains: Mapping[str, Domain],
    refusal: Callable[[Feeds], str | None],
    seed: int = SEED,
    *,
    calibrating: bool = False,
) -> Iterator[tuple[str, Feeds]]:
    """Labelled inputs for a model, one at a time.

    Batches and lengths change from one to the next. Every recorded sample of the checking part occurs once, and more
    often where there are fewer than eight.

    Args:
        signature: the signature of the model.
        domains: one per input.
        refusal: why the model rejects some inputs, None when it accepts them; called once per length.
        seed: the seed of the random inputs.
        calibrating: whether recorded samples are those that are set aside for calibration.

    Raises:
        ModelError: the model rejects every length that was tried.
    """
    rng = np.random.default_rng(seed)
    inputs = signature.inputs
    if not inputs:
        yield "the only case, for there is no input", {}
        return
    if any(isinstance(domains[spec.name], Samples) for spec in inputs):
        yield from _recorded(inputs, domains, refusal, rng, part=int(calibrating))
        return
    lengths = list(_accepted_lengths(inputs, domains, refusal, rng))
    batches = (*_BATCHES, *[2] * max(0, len(lengths) - len(_BATCHES)))
    for index, batch in enumerate(batches):
        yield _random(inputs, domains, rng, batch, lengths[index % len(lengths)])
    long = [length for length in lengths if length > 1] or lengths
    for index, (label, fill) in enumerate(corner_inputs.of(inputs, domains)):
        batch, length = _PATTERN_BATCHES[index % len(_PATTERN_BATCHES)], long[index % len(long)]
        yield label, fill(rng, {spec.name: _shape(spec, batch, length) for spec in inputs})
    for label, batch, fill in listed_values.of(inputs, domains, 2, long[0]):
        yield label, fill(rng, {spec.name: _shape(spec, batch, long[0]) for spec in inputs})


def longer(
    signature: Signature, domains: Mapping[str, Domain], refusal: Callable[[Feeds], str | None]
) -> Iterator[tuple[str, Feeds]]:
    """Random inputs longer than those of `plan`, of one sample, where dynamic axes are not many and the model takes it.

    Args:
        signature: the signature of the model.
        domains: one per input; of recorded data there are no longer ones.
        refusal: why the model rejects some inputs, None when it accepts them.
    """
    inputs, rng = signature.inputs, np.random.default_rng(SEED)
    if not any(None in spec.shape[1:] for spec in inputs) or any(
        isinstance(each, Samples) for each in domains.values()
    ):
        return
    for length in _LONG:
        if max(math.prod(_shape(spec, 1, length)) for spec in inputs) <= _MOST_OF_LONG:
            label, feeds = _random(inputs, domains, rng, 1, length)
            if refusal(feeds) is None:
                yield label, feeds


def _accepted_lengths(
    inputs: Sequence[TensorSpec],
    domains: Mapping[str, Domain],
    refusal: Callable[[Feeds], str | None],
    rng: np.random.Generator,
) -> Iterator[int]:
    if not any(None in spec.shape[1:] for spec in inputs):
        yield 1
        return
    accepted, reason = 0, None
    for length in _LENGTHS:
        _, feeds = _random(inputs, domains, rng, 1, length)
        refused = refusal(feeds)
        if refused is None:
            accepted += 1
            yield length
        reason = refused or reason
        if accepted == _ENOUGH_LENGTHS:
            return
    if not accepted:
        raise ModelError(
            "the model rejects every length tried for its dynamic axes",
            got=reason,
            expected=f"one of {', '.join(map(str, _LENGTHS))} to fit",
            hint="give recorded samples as the domain of its inputs",
        )


def _recorded(
    inputs: Sequence[TensorSpec],
    domains: Mapping[str, Domain],
    refusal: Callable[[Feeds], str | None],
    rng: np.random.Generator,
    *,
    part: int,
) -> Iterator[tuple[str, Feeds]]:
    """Recorded samples, the same rows of every recorded input; the other inputs are drawn from their domains.

    `part` is 0 for the samples that check, 1 for those that calibrate.
    """
    arrays = {spec.name: domain.values for spec in inputs if isinstance(domain := domains[spec.name], Samples)}
    rows = {spec.name: split(len(arrays[spec.name]), unit(spec))[part] for spec in inputs if spec.name in arrays}
    length = _recorded_length(inputs, arrays)

    def feeds(start: int, batch: int) -> Feeds:
        values = {}
        for spec in inputs:
            shape = _shape(spec, batch, length)
            if spec.name not in arrays:
                values[spec.name] = np.asarray(domains[spec.name].sample(rng, shape)).astype(spec.numpy_dtype)
                continue
            picked = rows[spec.name][np.arange(start, start + shape[0]) % len(rows[spec.name])]
            value = arrays[spec.name][picked]
            values[spec.name] = value.astype(spec.numpy_dtype, order="C", copy=False)
        return values

    count = max(map(len, rows.values()))
    elements = max(array[:1].size for array in arrays.values())
    fixed = [spec.shape[0] for spec in inputs if spec.name in arrays and spec.shape[0]]
    start = 0
    for batch in _recorded_batches(count, elements, fixed[0] if fixed else None):
        yield f"recorded samples, batch {batch}, from row {_first(rows, start)}", feeds(start, batch)
        if start == 0 and (shorter := _shortened(inputs, feeds(start, batch))) and refusal(shorter) is None:
            yield f"recorded samples, batch {batch}, cut to half their length", shorter
        start += batch
    others = {name: domain for name, domain in domains.items() if name not in arrays}
    for index, (label, fill) in enumerate(corner_inputs.of([spec for spec in inputs if spec.name in others], others)):
        if index == _MIXED_PATTERNS:
            break
        given = feeds(0, 2)
        yield f"recorded samples, the others {label}", {**given, **fill(rng, {k: given[k].shape for k in others})}
    for label, batch, fill in listed_values.of([spec for spec in inputs if spec.name in others], others, 2, length):
        given = feeds(0, fixed[0] if fixed else batch)
        yield f"recorded samples, the others {label}", {**given, **fill(rng, {k: given[k].shape for k in others})}


def _recorded_batches(count: int, elements: int, fixed: int | None) -> Iterator[int]:
    """Batch sizes, several of them, that add up to every row; `elements` is the size of one row."""
    largest = max(1, min(_MOST_ROWS, _MOST_ELEMENTS // max(1, elements)))
    done = 0
    for batch in (fixed,) if fixed else _RECORDED_BATCHES:
        yield batch
        done += batch
    while done < count:
        batch = fixed or min(largest, count - done)
        yield batch
        done += batch


def _first(rows: Mapping[str, Array], start: int) -> int:
    """The row of the recording with which a batch begins."""
    longest = max(rows.values(), key=len)
    return int(longest[start % len(longest)])


def _recorded_length(inputs: Sequence[TensorSpec], arrays: Mapping[str, Array]) -> int:
    """The size of the dynamic axes of the inputs that are not recorded."""
    sizes = [
        size
        for spec in inputs
        if spec.name in arrays
        for size, declared in zip(arrays[spec.name].shape[1:], spec.shape[1:], strict=False)
        if declared is None
    ]
    return sizes[0] if sizes else _LENGTHS[0]


def _shortened(inputs: Sequence[TensorSpec], feeds: Feeds) -> Feeds | None:
    """The first half along every dynamic axis but the first; None where there is nothing to cut."""
    cut = {}
    for spec in inputs:
        sizes = zip(feeds[spec.name].shape, spec.shape, strict=True)
        ends = [(size + 1) // 2 if declared is None and axis else size for axis, (size, declared) in enumerate(sizes)]
        cut[spec.name] = np.ascontiguousarray(feeds[spec.name][tuple(map(slice, ends))])
    return None if all(cut[name].shape == feeds[name].shape for name in cut) else cut


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
