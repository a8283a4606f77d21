"""Whether a sample that lies beyond the limit is wrong, or is one on which the model itself is ill-conditioned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from kexport.bundle.goldens import Golden
from kexport.bundle.limits import DECLARED, OutputLimit
from kexport.bundle.signature import Array, Signature
from kexport.field.remote import Outputs, RemoteSession, RuntimeFailedError
from kexport.parity.conditioning import distance
from kexport.parity.outcome import Outcome
from kexport.parity.outputs import OutputsComparison
from kexport.parity.scores import local, row, scores
from kexport.parity.tolerance import FLOOR_MULTIPLE, LARGEST_LIMIT

_NUDGES = 6
#: A sum inside of a model loses some units in the last place, which the inputs cannot: where its result is all but
#: cancelled, as the mean of equal numbers is, only larger nudges show what that does.
_INNER_ULPS, _INNER_NUDGES = 4, 3

Feeds = Mapping[str, Array]
Nudge = Callable[[Feeds, int], Feeds]


@dataclass(frozen=True)
class Conditioning:
    """What is true of some samples, and how much of that float arithmetic can tell; each array is as the output.

    Attributes:
        truth: of each output.
        ulp_sensitivity: how far one unit in the last place moves it (`Golden.ulp_sensitivity`).
        noise: how far float arithmetic is from it when the inputs are nudged.
        keras_output: what Keras itself computes.
    """

    truth: Outputs
    ulp_sensitivity: Outputs
    noise: Outputs
    keras_output: Outputs = field(default_factory=dict)


class Truth(Protocol):
    """What is true of a model on any input: the float64 twin."""

    def outputs(self, feeds: Feeds) -> Outputs:
        """The true outputs.

        Raises:
            ValueError: the model does not take these inputs.
        """
        ...

    def conditioning(self, feeds: Feeds, rng: np.random.Generator) -> Conditioning:
        """The true outputs, and how far they can be trusted."""
        ...


@dataclass(frozen=True)
class Verdict:
    """What a closer look at one sample came to.

    Attributes:
        wrong: whether some element lies beyond its limit where the model is well-conditioned.
        apart: whether the model is ill-conditioned at all the elements that lie beyond.
        golden: the sample, and what is true of it.
        limits: of each output, for this sample.
        outcomes: of each output.
    """

    wrong: bool
    apart: bool
    golden: Golden
    limits: Mapping[str, OutputLimit]
    outcomes: Mapping[str, Outcome]


def verdicts(
    signature: Signature,
    limits: Mapping[str, OutputLimit],
    accumulation_factor: float,
    feeds: Feeds,
    values: Outputs,
    known: Conditioning,
    batched: bool,
    label: str,
) -> list[Verdict]:
    """Judge each sample of a batch, as the goldens are judged."""
    count = len(next(iter(feeds.values()))) if batched else 1
    found = []
    for index in range(count):
        parts = [
            row(part, index, batched)
            for part in (known.truth, known.keras_output, known.ulp_sensitivity, known.noise, values)
        ]
        truth, own, moves, noise, value = parts
        sample_limits = {}
        for spec in signature.outputs:
            name = spec.name
            limit = local(spec, limits[name], truth[name])
            if spec.is_float and limit.source != DECLARED:
                # The noise of the sample, but for that of edges: what one element shows by luck another does not.
                own_noise = accumulation_factor * noise[name]
                if not known.keras_output:  # between runtimes: what moves the inputs, or what sums lose inside
                    own_noise = np.maximum(accumulation_factor * moves[name], noise[name])
                floor = own_noise[FLOOR_MULTIPLE * own_noise <= LARGEST_LIMIT * limit.scale].max(initial=0.0)
                limit = replace(limit, limit=max(limit.limit, FLOOR_MULTIPLE * float(floor) / limit.scale))
            sample_limits[name] = limit
        comparison = OutputsComparison(signature, sample_limits.values())
        comparison.add(label, truth, value, own, moves)
        outcomes = comparison.outcomes()
        wrong = any(outcome.ran and not outcome.passed for outcome in outcomes.values())
        golden = Golden(label, row(feeds, index, batched), truth, own, moves)
        found.append(Verdict(wrong, not wrong and _any_apart(outcomes), golden, sample_limits, outcomes))
    return found


def _any_apart(outcomes: Mapping[str, Outcome]) -> bool:
    return any(outcome.metrics.get("set_apart") for outcome in outcomes.values())


def second_answers(truth: Mapping[str, Array], own: Mapping[str, Array]) -> Outputs:
    """Of the outputs where float arithmetic makes another answer of the truth: what Keras itself computes."""
    return {
        name: value
        for name, value in own.items()
        if value.shape == truth[name].shape and not np.array_equal(value, truth[name])
        and (value.dtype.kind not in "fc" or not np.isfinite(value).all())
    }  # fmt: skip


def against_partner(
    signature: Signature, remote: RemoteSession, partner: RemoteSession, feeds: Feeds,
    limits: Mapping[str, OutputLimit], nudge: Nudge, batched: bool,
) -> Conditioning:  # fmt: skip
    """What a partner computes, and how far both of them move when the inputs do.

    A runtime that answers the same inputs in two ways moves for another reason than its inputs: only the partner's
    movement then counts.

    Raises:
        RuntimeFailedError: one of them fails.
    """
    calls = [feeds, feeds, *_nudges(nudge, feeds)]
    remote.start(calls)
    partner.start(calls)
    first, again, *mine = remote.finish()
    truth, _, *theirs = partner.finish()
    steady = bool((scores(signature, limits, first, again, batched) <= 1).all())
    moves, noise = _both(signature, truth, theirs)
    if steady and all(first[name].shape == truth[name].shape for name in truth):
        for known, own in zip((moves, noise), _both(signature, first, mine), strict=True):
            known.update({name: np.maximum(known[name], own[name]) for name in known})
    return Conditioning(truth, moves, noise)


def alone(signature: Signature, partner: RemoteSession, feeds: Feeds, nudge: Nudge) -> Conditioning:
    """What a runtime computes, and how far it moves when the inputs do.

    Raises:
        RuntimeFailedError: it fails.
    """
    truth, *others = partner.run([feeds, *_nudges(nudge, feeds)])
    return Conditioning(truth, *_both(signature, truth, others))


def _nudges(nudge: Nudge, feeds: Feeds) -> list[Feeds]:
    return [nudge(feeds, 1 if index < _NUDGES else _INNER_ULPS) for index in range(_NUDGES + _INNER_NUDGES)]


def _both(signature: Signature, base: Outputs, others: Sequence[Outputs]) -> tuple[Outputs, Outputs]:
    """How far one unit in the last place of the inputs moves each output; and how far what sums lose inside does."""
    moves, noise = {}, {}
    for spec in signature.outputs:
        values = [each[spec.name] for each in others]
        moves[spec.name] = _moved(spec.is_float, base[spec.name], values[:_NUDGES])
        noise[spec.name] = _moved(spec.is_float, base[spec.name], values)
    return moves, noise


def _moved(is_float: bool, base: Array, others: Sequence[Array]) -> Array:
    moves = np.zeros(base.shape, np.float32)
    for other in others:
        if other.shape != base.shape:
            return np.full(base.shape, np.inf, np.float32)
        if not is_float:
            moves = np.asarray(np.maximum(moves, np.asarray(other != base).astype(np.float32)))
            continue
        moves = np.asarray(np.maximum(moves, distance(other, base.astype(np.float64)).astype(np.float32)))
        moves[np.isfinite(other) != np.isfinite(base)] = np.inf
    return moves


__all__ = [
    "Conditioning",
    "RuntimeFailedError",
    "Truth",
    "Verdict",
    "against_partner",
    "alone",
    "second_answers",
    "verdicts",
]
