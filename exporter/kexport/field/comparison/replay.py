"""Two artifacts on the same inputs, case after case: one check for each output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kexport.bundle.limits import OutputLimit
from kexport.bundle.report import Check, CheckKind, Subject
from kexport.bundle.signature import Array, Signature
from kexport.field.comparison.inputs import Case
from kexport.field.remote import Outputs, RemoteSession, RuntimeFailedError
from kexport.field.search.target import Contest
from kexport.field.search.verdicts import against_partner
from kexport.parity.conditioning import distance, nudged, widened
from kexport.parity.outcome import Outcome
from kexport.parity.outputs import OutputsComparison
from kexport.parity.sampler import Trial
from kexport.parity.scores import scores
from kexport.parity.tolerance import FLOOR_MULTIPLE

_JUST_BEYOND = 1 + 1e-6


@dataclass(frozen=True)
class Match:
    """Artifact B against artifact A, which is taken for right.

    Attributes:
        a: called by the names of the frame.
        b: likewise.
        signature: of the frame.
        limits: what they may differ by, of each output.
        batched: whether samples may be put together.
        ulp: one unit in the last place, relative to 1.
        stateful: whether one of them keeps state between calls.
        still: inputs that take single values only.
    """

    a: RemoteSession
    b: RemoteSession
    signature: Signature
    limits: Mapping[str, OutputLimit]
    batched: bool
    ulp: float
    stateful: bool
    still: frozenset[str]

    @property
    def runtimes(self) -> str:
        """Of both, in words."""
        ours, theirs = self.a.runtime.name, self.b.runtime.name
        return theirs if ours == theirs else f"{theirs} against {ours}"

    @property
    def metrics(self) -> dict[str, Any]:
        """What is compared, for a report."""
        return {
            side: {"artifact": remote.artifact, "runtime": remote.runtime.name}
            for side, remote in (("a", self.a), ("b", self.b))
        }

    def subject(self, output: str | None = None) -> Subject:
        """What a check of both is about."""
        return Subject(self.b.artifact, self.runtimes, output)

    def not_run(self, why: str) -> Check:
        """A check that neither of them could make."""
        return replace(Check.not_run(CheckKind.RUNTIME, self.subject(), why), metrics=self.metrics)

    def failure(self, why: str) -> Check:
        """A runtime that fails where the other does not."""
        return replace(Check.failure(CheckKind.RUNTIME, self.subject(), why), metrics=self.metrics)


def contrast(match: Match, cases: Iterator[Case], contest: Contest | None) -> Iterator[Check]:
    """Run every case in both; a runtime that fails where the other does not is the last check.

    Args:
        match: both sides.
        cases: labels and inputs.
        contest: is given the samples that differ by more than the limits, so that the worst is known.
    """
    comparison = OutputsComparison(match.signature, match.limits.values())
    rng = np.random.default_rng(0)
    fresh, ran = True, False
    for label, feeds in cases:
        for remote in (match.a, match.b):
            remote.start([feeds], fresh=fresh)
        fresh = False
        found = [_finished(remote) for remote in (match.a, match.b)]
        if all(isinstance(each, str) for each in found):
            continue  # neither takes it
        for remote, each in zip((match.a, match.b), found, strict=True):
            if isinstance(each, str):
                yield match.failure(f"{remote.label} fails on {label}: {each}")
                return
        references, values = found
        assert not isinstance(references, str)
        assert not isinstance(values, str)
        ran = True
        moves = _compared(match, label, feeds, references, values, contest, rng)
        truth = {name: _wide(value) for name, value in references.items()}
        comparison.add(label, truth, values, None, moves)
    if not ran:
        yield match.not_run("neither of the two takes any of the inputs tried")
        return
    for name, outcome in comparison.outcomes().items():
        yield _check_of(match, name, outcome)


def _wide(array: Array) -> Array:
    """As it is, but for half precision, in which differences overflow."""
    return widened(array) if array.dtype.itemsize < np.float32().itemsize else array


def _finished(remote: RemoteSession) -> Outputs | str:
    try:
        return remote.finish()[0]
    except RuntimeFailedError as error:
        return str(error)


def _compared(
    match: Match, label: str, feeds: Mapping[str, Array], references: Outputs, values: Outputs,
    contest: Contest | None, rng: np.random.Generator,
) -> dict[str, Array]:  # fmt: skip
    """How far the outputs of a case move by themselves; empty where no sample lies beyond its limits."""
    if contest is None or not (scores(match.signature, match.limits, values, references, match.batched) > 1).any():
        return {}
    population = {name: value if match.batched else value[None] for name, value in feeds.items()}
    form = {name: value.shape[1:] for name, value in population.items()}
    same_batch = len({len(value) for value in population.values()}) == 1
    if not contest.settled and same_batch:
        try:
            contest.score(Trial(population, form, label), values, references, None)
        except RuntimeFailedError as error:
            contest.fail(f"a runtime fails on {label}: {error}", error.remote or match.b)
            return {}

    def nudge(given: Mapping[str, Array], ulps: int = 1) -> dict[str, Array]:
        return {n: v if n in match.still else nudged(v, rng, ulps * match.ulp) for n, v in given.items()}

    try:
        known = against_partner(match.signature, match.b, match.a, feeds, match.limits, nudge, match.batched)
    except RuntimeFailedError:
        return {}
    return {name: _doubtful(match, name, moves, references, values) for name, moves in known.ulp_sensitivity.items()}


def _doubtful(match: Match, name: str, moves: Array, references: Outputs, values: Outputs) -> Array:
    """The movement, made larger than the limit where it can explain the distance: nothing can be told there."""
    limit, reference, value = match.limits[name], references[name], values[name]
    if reference.dtype.kind not in "fc" or not reference.shape == value.shape == moves.shape:
        return moves
    allowed = limit.absolute
    apart = distance(value, widened(reference))
    summation = max(match.a.runtime.accumulation_factor, match.b.runtime.accumulation_factor)
    doubtful = (apart > allowed) & (apart <= FLOOR_MULTIPLE * summation * moves)
    return np.where(doubtful, np.maximum(moves, np.float32(allowed * _JUST_BEYOND)), moves)


def _check_of(match: Match, name: str, outcome: Outcome) -> Check:
    metrics = {**outcome.metrics, **match.metrics}
    subject = match.subject(name)
    return Check(CheckKind.PARITY, outcome.passed, subject, outcome.measured, outcome.facts, outcome.ran, metrics)
