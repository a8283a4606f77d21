"""Two artifacts on the same inputs, case after case: one check for each output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from kexport.bundle.json_text import JsonObject
from kexport.bundle.report import Check, CheckKind, Subject
from kexport.bundle.signature import Array
from kexport.field.comparison.case_differences import CaseDifferences
from kexport.field.comparison.inputs import Case
from kexport.field.comparison.operands import Candidate
from kexport.field.remote import Outputs, RemoteSession, RuntimeFailedError
from kexport.field.search import PeerReference
from kexport.field.search.target import SearchCall, SearchTarget
from kexport.field.search.terms import Nudge, Terms
from kexport.parity.conditioning import distance, widened
from kexport.parity.outcome import Outcome
from kexport.parity.outputs import OutputsComparison
from kexport.parity.sampler import Trial
from kexport.parity.tolerance import FLOOR_MULTIPLE

_JUST_BEYOND = 1 + 1e-6


@dataclass(frozen=True)
class ArtifactPair:
    """Artifact B and its reference, artifact A.

    Attributes:
        a: session of A, by the names of the shared interface.
        b: session of B, likewise.
        terms: the terms of their comparison.
    """

    a: RemoteSession
    b: RemoteSession
    terms: Terms

    @property
    def runtimes(self) -> str:
        """Both runtimes, in words."""
        return runtimes_of(self.a, self.b)

    @property
    def metrics(self) -> JsonObject:
        """What is compared, for a report."""
        return {
            side: {"artifact": session.artifact, "runtime": session.runtime.name}
            for side, session in (("a", self.a), ("b", self.b))
        }

    def target(self, seed: int) -> SearchTarget:
        """The search for the input on which they differ most."""
        return SearchTarget(self.b, PeerReference(self.a, self.terms), self.terms, seed)

    def subject(self, output: str | None = None) -> Subject:
        """The subject of a check of both."""
        return Subject(self.b.artifact, self.runtimes, output)

    def not_run(self, why: str) -> Check:
        """A check that could run in neither of them."""
        return replace(Check.not_run(CheckKind.RUNTIME, self.subject(), why), metrics=self.metrics)

    def failure(self, why: str) -> Check:
        """A runtime that fails where the other does not."""
        return replace(Check.failure(CheckKind.RUNTIME, self.subject(), why), metrics=self.metrics)

    def parity(self, output: str, outcome: Outcome) -> Check:
        """How far an output of B is from that of A."""
        metrics = {**outcome.metrics, **self.metrics}
        subject = self.subject(output)
        return Check(CheckKind.PARITY, outcome.passed, subject, outcome.measured, outcome.facts, outcome.ran, metrics)


def runtimes_of(a: RemoteSession | Candidate, b: RemoteSession | Candidate) -> str:
    """The runtimes of A and B, in words."""
    ours, theirs = a.runtime.name, b.runtime.name
    return theirs if ours == theirs else f"{theirs} against {ours}"


def replay(
    pair: ArtifactPair, cases: Iterator[Case], target: SearchTarget | None, differences: CaseDifferences
) -> Iterator[Check]:
    """Run every case in both; a runtime that fails where the other does not is the last check.

    Args:
        pair: A and B.
        cases: labels and inputs.
        target: scores the samples beyond the limits too, so that it knows the worst one.
        differences: collects the cases on which they differ.
    """
    comparison = OutputsComparison(pair.terms.signature, pair.terms.limits.values())
    rng = np.random.default_rng(0)
    fresh, ran = True, False
    for label, feeds in cases:
        for session in (pair.a, pair.b):
            session.start([feeds], fresh=fresh)
        fresh = False
        references, values = _finished(pair.a), _finished(pair.b)
        if isinstance(references, str) and isinstance(values, str):
            continue  # neither takes it
        if isinstance(references, str):
            yield pair.failure(f"{pair.a.label} fails on {label}: {references}")
            return
        if isinstance(values, str):
            yield pair.failure(f"{pair.b.label} fails on {label}: {values}")
            return
        ran = True
        differences.add(label, feeds, values, references)
        sensitivity: Mapping[str, Array] = {}
        if target is not None and (pair.terms.scores(values, references) > 1).any():
            trial = _trial(label, feeds, pair.terms.batched)
            if _scored(target, trial, values, references):
                sensitivity = _sensitivity(pair, trial, values, references, rng)
        truth = {name: _wide(value) for name, value in references.items()}
        comparison.add(label, truth, values, None, sensitivity)
    if not ran:
        yield pair.not_run("neither model accepts any of the inputs tried")
        return
    for name, outcome in comparison.outcomes().items():
        check = pair.parity(name, outcome)
        yield check if check.passed else replace(check, facts=(*check.facts, *differences.facts(name)))


def _wide(array: Array) -> Array:
    """Half precision, in which differences overflow, as float64; anything else unchanged."""
    return widened(array) if array.dtype.itemsize < np.float32().itemsize else array


def _finished(session: RemoteSession) -> Outputs | str:
    try:
        return session.finish()[0]
    except RuntimeFailedError as error:
        return str(error)


def _trial(label: str, feeds: Mapping[str, Array], batched: bool) -> Trial:
    population = {name: value if batched else value[None] for name, value in feeds.items()}
    return Trial(population, {name: value.shape[1:] for name, value in population.items()}, label)


def _scored(target: SearchTarget, trial: Trial, values: Outputs, references: Outputs) -> bool:
    """Let the search score a case, if it may; False when a runtime fails on inputs near it."""
    one_batch = len({len(value) for value in trial.population.values()}) == 1
    if target.failed or not one_batch:
        return True
    try:
        target.score(SearchCall(trial), values, references)
    except RuntimeFailedError as error:
        target.fail([f"a runtime fails on {trial.origin}: {error}"], error.remote or target.session)
        return False
    return True


def _sensitivity(
    pair: ArtifactPair, trial: Trial, values: Outputs, references: Outputs, rng: np.random.Generator
) -> dict[str, Array]:
    """How far nudged inputs move the outputs of a case, which may leave their domains; empty where that fails."""
    reference = PeerReference(pair.a, pair.terms, Nudge(pair.terms.ulp, pair.terms.discrete, {}))
    try:
        conditioning = reference.conditioning(trial.feeds(pair.terms.batched), rng, pair.b)
    except RuntimeFailedError:
        return {}
    return {
        name: _explained(pair, name, moved, references[name], values[name])
        for name, moved in conditioning.ulp_sensitivity.items()
    }


def _explained(pair: ArtifactPair, name: str, sensitivity: Array, reference: Array, value: Array) -> Array:
    """The sensitivity, made larger than the limit where it explains the distance: such elements are excluded."""
    if reference.dtype.kind not in "fc" or not reference.shape == value.shape == sensitivity.shape:
        return sensitivity
    allowed = pair.terms.limits[name].absolute
    apart = distance(value, widened(reference))
    factor = max(pair.a.runtime.accumulation_factor, pair.b.runtime.accumulation_factor)
    explained = (apart > allowed) & (apart <= FLOOR_MULTIPLE * factor * sensitivity)
    return np.where(explained, np.maximum(sensitivity, np.float32(allowed * _JUST_BEYOND)), sensitivity)
