"""The inputs on which a converter measures the range of each tensor: never those that check the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from kexport.bundle.domain import Domain, Samples, Uniform
from kexport.bundle.goldens import Golden
from kexport.bundle.signature import Array, Signature
from kexport.errors import InputError
from kexport.factory.inputs.calibration_file import CalibrationCall
from kexport.parity import corner_inputs, golden_inputs

#: Another one than that of the goldens: of what is drawn, nothing is both calibrated and checked on.
SEED = golden_inputs.SEED + 1
_ROWS, _MOST_BYTES = 128, 1 << 28  # drawn beside those that reach the corners
Feeds = Mapping[str, Array]


def calibration_inputs(
    signature: Signature, domains: Mapping[str, Domain], goldens: Sequence[Golden], *, between: bool = False
) -> Iterator[CalibrationCall]:
    """Inputs from all over the domains: random ones, corners, and the recorded samples set aside for this.

    Args:
        signature: of the model.
        domains: of its inputs.
        goldens: those that check it; the sizes of dynamic axes are theirs.
        between: whether floats that were recorded are drawn between their least and largest values too.

    Raises:
        InputError: no recorded sample is finite.
    """
    found = skipped = False
    for feeds, recorded in _planned(signature, domains, goldens, between=between):
        finite = finite_rows(feeds)
        if finite is not None:
            found = True
            yield CalibrationCall(finite, recorded)
        else:
            skipped = True
    if skipped and not found:
        raise InputError(
            "ranges of integers cannot be measured",
            got="samples that hold NaN or infinity, all of them",
            expected="some that do not",
        )


def finite_rows(feeds: Feeds) -> Feeds | None:
    """The same inputs with rows that are finite in place of those that are not; None where there is none.

    No range holds NaN or infinity, and converters end in them, by a crash or not at all.
    """
    floats = {name: value for name, value in feeds.items() if value.dtype.kind == "f"}
    if all(np.isfinite(value).all() for value in floats.values()):
        return feeds
    rows = {len(value) if value.ndim else 0 for value in feeds.values()}
    if len(rows) != 1 or rows == {0}:
        return None
    finite = np.all([np.isfinite(value.reshape(len(value), -1)).all(axis=1) for value in floats.values()], axis=0)
    places = np.flatnonzero(finite)
    return {name: value[np.resize(places, len(value))] for name, value in feeds.items()} if len(places) else None


def _planned(
    signature: Signature, domains: Mapping[str, Domain], goldens: Sequence[Golden], *, between: bool
) -> Iterator[CalibrationCall]:
    """Inputs as they were recorded and drawn."""
    known = {_sizes(golden.inputs) for golden in goldens}

    def refusal(feeds: Feeds) -> str | None:
        return None if _sizes(feeds) in known else "no golden has these sizes"

    for _, feeds in golden_inputs.plan(signature, domains, refusal, SEED, calibrating=True):
        yield CalibrationCall(feeds, any(isinstance(domain, Samples) for domain in domains.values()))
    wider = whole_ranges(domains) if between else domains
    if wider != domains:
        fixed = {spec.name for spec in signature.inputs if None not in spec.shape[1:]}
        for _, feeds in golden_inputs.plan(signature, wider, refusal, SEED, calibrating=True):
            # Each element has a range of its own, unless it may stand at another place of a longer input.
            yield CalibrationCall({name: domains[name].project(x) if name in fixed else x for name, x in feeds.items()})
    if not any(isinstance(domain, Samples) for domain in wider.values()):  # a recording says what occurs
        yield from map(CalibrationCall, _further(signature, wider, longest(goldens)))


def longest(goldens: Sequence[Golden]) -> Feeds:
    """The inputs of the golden that has most elements: in longer inputs, sums reach further."""
    return max((golden.inputs for golden in goldens), key=lambda feeds: sum(value.size for value in feeds.values()))


def whole_ranges(domains: Mapping[str, Domain]) -> dict[str, Domain]:
    """The domains, of recorded floats all between the least and the largest value."""
    return {name: _range(domain) for name, domain in domains.items()}


def _further(signature: Signature, domains: Mapping[str, Domain], like: Feeds) -> Iterator[Feeds]:
    """Inputs of the same sizes: the corners, and so many random ones that little of what tensors can hold is missed."""
    rng = np.random.default_rng(SEED)
    shapes = {name: value.shape for name, value in like.items()}
    for _, fill in corner_inputs.of(signature.inputs, domains):
        yield fill(rng, shapes)
    rows = max((len(value) for value in like.values() if value.ndim), default=1)
    calls = min(-(-_ROWS // rows), _MOST_BYTES // max(1, sum(value.nbytes for value in like.values())))
    for _ in range(calls):
        yield {name: np.asarray(domains[name].sample(rng, x.shape)).astype(x.dtype) for name, x in like.items()}


def _range(domain: Domain) -> Domain:
    if not isinstance(domain, Samples) or domain.values.dtype.kind != "f":
        return domain
    finite = domain.values[np.isfinite(domain.values)]
    return Uniform(float(finite.min()), float(finite.max())) if finite.size else domain


def _sizes(feeds: Feeds) -> tuple[tuple[int, ...], ...]:
    return tuple(value.shape[1:] for value in feeds.values())
