"""One comparison of a search: a runtime against its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array
from kexport.field.remote import Outputs, RemoteSession, RuntimeFailedError
from kexport.field.search.reference import Conditioning, PeerReference, Reference
from kexport.field.search.terms import Feeds, Terms
from kexport.field.search.verdicts import SampleVerdict, verdicts
from kexport.parity.sampler import Trial
from kexport.parity.space import Population

_JUDGED = 16  # samples of a batch that are judged closely, at most
_DISCRETE_WITNESSES = 3  # wrong samples needed for a failure where no input can be nudged
_DISCRETE_RATE = 1e-5  # likewise, their least share among all samples


@dataclass(frozen=True)
class SearchCall:
    """Samples that the runtimes were called with.

    Attributes:
        trial: the samples.
        before: the inputs of the call before this one, in the same sessions, if there was one.
    """

    trial: Trial
    before: Feeds | None = None


@dataclass(frozen=True)
class WrongSample:
    """A sample that a runtime gets wrong, and the call in which it did."""

    verdict: SampleVerdict
    call: SearchCall


@dataclass
class TargetState:
    """What a comparison has seen so far.

    Attributes:
        evaluations: samples compared.
        suspects: samples beyond the limit.
        judged: suspects that were judged closely.
        excluded: judged samples on which the model is ill-conditioned.
        inconclusive: samples that differ, but are too few to rule out ties.
        worst: the largest distance, in limits.
        worst_label: the label of the sample at that distance.
        worst_sample: that sample, while nothing has failed.
        failure: why it failed, one sentence each; empty when it did not.
        at_fault: the runtime that raised, or died.
        refused: the call in which it raised or died.
        wrong: the sample behind the failure, where numbers are wrong.
    """

    evaluations: int = 0
    suspects: int = 0
    judged: int = 0
    excluded: int = 0
    inconclusive: int = 0
    worst: float = 0.0
    worst_label: str = ""
    worst_sample: Trial | None = None
    failure: tuple[str, ...] = ()
    at_fault: RemoteSession | None = None
    refused: SearchCall | None = None
    wrong: WrongSample | None = None


@dataclass(frozen=True)
class KeptWitness:
    """What happened to the input that shows a failure.

    Attributes:
        path: where it is kept; empty when it is not.
        remark: why it is not, or how to keep it.
    """

    path: str = ""
    remark: str = ""


class SearchTarget:
    """A runtime against its reference.

    Args:
        session: the session of the runtime.
        reference: what it is compared with.
        terms: the terms of the comparison.
        seed: the seed of the nudges.
        opening: inputs of the first call of the sessions, if there was one.

    Attributes:
        state: what has been seen so far.
        kept: what happened to the input that shows the failure.
    """

    def __init__(
        self, session: RemoteSession, reference: Reference, terms: Terms, seed: int, opening: Feeds | None = None
    ) -> None:
        self.session, self.reference, self.terms, self.opening = session, reference, terms, opening
        self.state = TargetState()
        self.kept = KeptWitness()
        self._rng = np.random.default_rng(seed)
        self._wrong: list[SampleVerdict] = []

    @property
    def name(self) -> str:
        """The runtimes that are compared, in words."""
        mine = f"{self.session.label} {self.session.artifact}"
        peer = self.peer
        return mine if peer is None else f"{mine} against {peer.label} {peer.artifact}"

    @property
    def peer(self) -> RemoteSession | None:
        """The runtime that is the reference, None where the truth is known."""
        return self.reference.session

    @property
    def sessions(self) -> list[RemoteSession]:
        """The runtimes that it runs."""
        return [self.session, *([] if self.peer is None else [self.peer])]

    @property
    def failed(self) -> bool:
        """Whether the two differ, or one of them fails."""
        return bool(self.state.failure)

    def opponent(self, session: RemoteSession) -> RemoteSession | None:
        """The runtime on the other side, None where that is the truth."""
        return self.session if self.peer is session else self.peer

    def fail(self, why: Sequence[str], session: RemoteSession | None = None, call: SearchCall | None = None) -> None:
        """Fail without numbers, unless it has failed already.

        Args:
            why: one sentence for each runtime that failed.
            session: the runtime that raised, or died.
            call: the call in which it did.
        """
        if not self.failed:
            self.state.failure, self.state.at_fault, self.state.refused = tuple(why), session, call

    def keep(self, kept: KeptWitness) -> None:
        """Record what happened to the input that shows the failure."""
        self.kept = kept

    def score(self, call: SearchCall, values: Outputs, references: Outputs) -> Array:
        """Score every sample of a batch, judge those beyond the limit, and remember the worst.

        Args:
            call: the samples.
            values: what the runtime computed.
            references: the reference outputs.

        Returns:
            For each sample the distance in limits, 0 where the model is ill-conditioned; float of shape `(samples,)`.

        Raises:
            RuntimeFailedError: a runtime fails on samples near these.
        """
        trial, state = call.trial, self.state
        state.evaluations += trial.count
        distances = self.terms.scores(values, references)
        chosen = self._chosen(distances)
        state.suspects += int((distances > 1).sum())
        if chosen.size and not self.failed:
            judged = self.judge(trial, chosen, values)
            state.judged += len(judged)
            state.excluded += sum(each.excluded for each in judged)
            for index, verdict in zip(chosen, judged, strict=True):
                if not verdict.wrong:
                    distances[index] = 0.0 if verdict.excluded else min(distances[index], 1.0)
                else:
                    self._wrong.append(verdict)
            self._decide(call)
        distances = np.where(distances > 1, distances if self.failed else 0.0, distances)
        best = int(distances.argmax())
        if distances[best] > state.worst and not self.failed:
            state.worst, state.worst_label = float(distances[best]), trial.origin
            state.worst_sample = trial.rows(np.array([best]))
        return np.asarray(distances)

    def _chosen(self, distances: Array) -> Array:
        """Indices of the suspects to judge: half of them the worst ones, the others at random."""
        beyond = np.flatnonzero(distances > 1)
        if beyond.size <= _JUDGED:
            return beyond
        first = beyond[np.argsort(distances[beyond])[::-1][: _JUDGED // 2]]
        others = np.setdiff1d(beyond, first)
        return np.concatenate([first, self._rng.choice(others, _JUDGED - len(first), replace=False)])

    def judge(self, trial: Trial, chosen: Array, values: Outputs) -> list[SampleVerdict]:
        """A closer look at some samples of a trial.

        Raises:
            RuntimeFailedError: a runtime fails on samples near these.
        """
        rows = trial.rows(chosen).feeds(self.terms.batched)
        if self.terms.batched:
            if all(value.shape[:1] == (trial.count,) for value in values.values()):
                values = {name: value[chosen] for name, value in values.items()}
            else:  # the outputs have another count than the samples: nothing can be picked from them
                rows = trial.population
        factor = max(self.session.runtime.accumulation_factor, self.reference.accumulation_factor)
        judged = verdicts(self.terms, factor, rows, values, self.conditioning(rows), trial.origin)
        return judged[: len(chosen)]

    def conditioning(self, feeds: Feeds, *, reference_alone: bool = False) -> Conditioning:
        """The reference on some inputs; without the runtime that is compared when `reference_alone`.

        Raises:
            RuntimeFailedError: a runtime fails on inputs near these.
        """
        return self.reference.conditioning(feeds, self._rng, None if reference_alone else self.session)

    def _decide(self, call: SearchCall) -> None:
        if not self._wrong:
            return
        state = self.state
        if not self.terms.can_nudge and self.peer is not None:
            # One sample cannot distinguish an error from a near tie: without a truth, only inputs can be nudged.
            rate = len(self._wrong) / max(1, state.evaluations)
            if len(self._wrong) < _DISCRETE_WITNESSES or rate < _DISCRETE_RATE:
                state.inconclusive = len(self._wrong)
                return
            state.inconclusive = 0
        verdict = max(self._wrong, key=lambda each: each.distance)
        state.worst, state.worst_label = verdict.distance, verdict.golden.label
        state.failure = verdict.problems
        state.wrong = WrongSample(verdict, call)

    def judge_alone(self, verdict: SampleVerdict, sample: Population) -> SampleVerdict:
        """Judge the sample again in a fresh session; if it still fails, report that failure.

        Raises:
            RuntimeFailedError: a runtime fails on it.
        """
        population = sample if self.terms.batched else {name: value[np.newaxis] for name, value in sample.items()}
        trial = Trial(population, {}, verdict.golden.label)
        (values,) = self.session.run([sample], fresh=True)
        (judged,) = self.judge(trial, np.array([0]), values)
        if judged.wrong:
            self.state.failure = judged.problems
        return judged

    def swap_sides(self) -> None:
        """From now on treat this runtime as the reference, and the other one as wrong."""
        if self.peer is None:
            return
        self.session, self.reference = self.peer, PeerReference(self.session, self.terms)
        wrong = self.state.wrong
        if wrong is None:
            return
        try:
            judged = self.judge_alone(wrong.verdict, dict(wrong.verdict.golden.inputs))
        except RuntimeFailedError:
            return
        if not judged.wrong:  # not by itself: the words are still those of the other side
            first, *others = self.state.failure
            self.state.failure = (f"as seen from {self.reference.session.label}, {first}", *others)
        self.state.wrong = WrongSample(judged, wrong.call)
