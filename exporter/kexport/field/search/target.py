"""One comparison of a search: a runtime against the truth, or against another runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kexport.bundle.goldens import Golden
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, Signature
from kexport.bundle.witnesses import Witness
from kexport.field.remote import Outputs, RemoteSession, RuntimeFailedError
from kexport.field.search.verdicts import Truth, Verdict, against_partner, alone, second_answers, verdicts
from kexport.parity.conditioning import nudged
from kexport.parity.sampler import Trial
from kexport.parity.scores import scores
from kexport.parity.shrink import simplified
from kexport.parity.space import Population, Space
from kexport.parity.tolerance import between, for_kernels

_LOOKED_AT = 16  # samples of a batch that are judged closely, at most
_DISCRETE_WITNESSES = 3  # wrong samples that inputs which cannot be nudged must show before they count
_CLEARLY = 2.0  # limits; what is simplified must not end at the limit, where it would be found right again


@dataclass
class Standing:
    """What a contest has seen so far."""

    evaluations: int = 0
    suspects: int = 0
    apart: int = 0
    looked_at: int = 0
    unsure: int = 0  # samples that differ, and are too few to tell from ties
    worst: float = 0.0
    worst_label: str = ""
    worst_sample: Trial | None = None
    failure: str = ""
    at_fault: RemoteSession | None = None
    refused: tuple[Trial, Mapping[str, Array] | None] | None = None
    found: tuple[Verdict, Trial, Mapping[str, Array] | None] | None = None


class Contest:
    """A runtime against what is right.

    Args:
        remote: the runtime.
        reference: the truth, or the other runtime.
        space: where samples come from.
        signature: of the model.
        limits: of the manifest.
        ulp: of the manifest.
        seed: of the nudges.
        between: whether the limits are already what the two may differ by, and not what each may differ by from the
            truth.
    """

    def __init__(
        self, remote: RemoteSession, reference: Truth | RemoteSession, space: Space, signature: Signature,
        limits: tuple[OutputLimit, ...], ulp: float, seed: int, *, between: bool = False,
    ) -> None:  # fmt: skip
        self.remote, self.reference = remote, reference
        self.standing = Standing()
        self.witness_path = ""
        self.unkept = ""
        self.opening: Mapping[str, Array] | None = None  # inputs of the first call of the sessions, if there was one
        self._space, self._signature, self._ulp = space, signature, ulp
        self._rng = np.random.default_rng(seed)
        self._limits = {limit.output: limit if between else self._limit(limit) for limit in limits}
        self._wrong: list[Verdict] = []
        self._still = {name for name, domain in space.domains.items() if domain.is_discrete}
        self._cannot_nudge = all(not spec.is_float or spec.name in self._still for spec in signature.inputs)

    @property
    def name(self) -> str:
        """The runtimes that it is about."""
        mine = f"{self.remote.label} {self.remote.artifact}"
        other = self.partner
        return f"{mine} against {other.label} {other.artifact}" if other else mine

    @property
    def partner(self) -> RemoteSession | None:
        """The other runtime, None where the truth is known."""
        return self.reference if isinstance(self.reference, RemoteSession) else None

    @property
    def settled(self) -> bool:
        """Whether it has failed."""
        return bool(self.standing.failure)

    @property
    def _summation(self) -> float:
        return max(
            self.remote.runtime.accumulation_factor, self.partner.runtime.accumulation_factor if self.partner else 0.0
        )

    def _limit(self, limit: OutputLimit) -> OutputLimit:
        """A runtime may differ from the truth by its limit, and from another runtime by the sum of both."""
        own = for_kernels(limit, self.remote.runtime.accumulation_factor)
        return (
            own if self.partner is None else between(own, for_kernels(limit, self.partner.runtime.accumulation_factor))
        )

    def _nudge(self, feeds: Mapping[str, Array], ulps: int = 1) -> dict[str, Array]:
        domains = self._space.domains
        return {
            name: value if name in self._still else nudged(value, self._rng, ulps * self._ulp, domains[name])
            for name, value in feeds.items()
        }

    def fail(
        self,
        why: str,
        remote: RemoteSession | None = None,
        trial: Trial | None = None,
        before: Mapping[str, Array] | None = None,
    ) -> None:
        """It has failed without numbers: a runtime raised, or died, on a trial, perhaps because of the one before."""
        if not self.settled:
            self.standing.failure, self.standing.at_fault = why, remote
            self.standing.refused = None if trial is None else (trial, before)

    def turn(self) -> None:
        """Take this runtime for right, and the other one for the wrong one, from now on."""
        if self.partner is None:
            return
        self.remote, self.reference = self.partner, self.remote
        if self.standing.found is not None:
            verdict, trial, before = self.standing.found
            try:
                judged = self._judged_alone(verdict, dict(verdict.golden.inputs))
            except RuntimeFailedError:
                return
            if not judged.wrong:  # not by itself: the words are still those of the other side
                self.standing.failure = f"seen from {self.reference.label}, {self.standing.failure}"
            self.standing.found = judged, trial, before

    def score(self, trial: Trial, values: Outputs, references: Outputs, before: Mapping[str, Array] | None) -> Array:
        """Score every sample of a batch, judge those beyond the limit, and keep the worst.

        Args:
            trial: the samples.
            values: what the runtime gave.
            references: what is right.
            before: the inputs of the call before this one, in the same session.
        """
        self.standing.evaluations += trial.count
        found = scores(self._signature, self._limits, values, references, self._space.batched)
        chosen = self._suspects(found)
        self.standing.suspects += int((found > 1).sum())
        if chosen.size and not self.settled:
            judged = self._judge(trial, chosen, values)
            self.standing.looked_at += len(judged)
            self.standing.apart += sum(each.apart for each in judged)
            for index, verdict in zip(chosen, judged, strict=True):
                if not verdict.wrong:
                    found[index] = 0.0 if verdict.apart else min(found[index], 1.0)
                else:
                    self._wrong.append(verdict)
            self._decide(trial, values, before)
        found = np.where(found > 1, found if self.settled else 0.0, found)
        best = int(found.argmax())
        if found[best] > self.standing.worst and not self.settled:
            self.standing.worst, self.standing.worst_label = float(found[best]), trial.origin
            self.standing.worst_sample = trial.rows(np.array([best]))
        return np.asarray(found)

    def nearest(self) -> Witness | None:
        """The input that came nearest to the limit, if there is one of which something can be told.

        Raises:
            RuntimeFailedError: the runtime fails on it now.
        """
        trial = self.standing.worst_sample
        if trial is None:
            return None
        feeds = trial.feeds(self._space.batched)
        (values,) = self.remote.run([feeds])
        (verdict,) = self._judge(trial, np.array([0]), values)
        judged = all(outcome.ran for outcome in verdict.outcomes.values())
        return self._as_witness(verdict, []) if judged else None

    def _suspects(self, found: Array) -> Array:
        beyond = np.flatnonzero(found > 1)
        if beyond.size <= _LOOKED_AT:
            return beyond
        first = beyond[np.argsort(found[beyond])[::-1][: _LOOKED_AT // 2]]
        others = np.setdiff1d(beyond, first)
        return np.concatenate([first, self._rng.choice(others, _LOOKED_AT - len(first), replace=False)])

    def _judge(self, trial: Trial, chosen: Array, values: Outputs) -> list[Verdict]:
        batched = self._space.batched
        rows = trial.rows(chosen).population if batched else {k: v[0] for k, v in trial.population.items()}
        own = {name: value[chosen] for name, value in values.items()} if batched and _fits(values, trial) else values
        if batched and not _fits(values, trial):  # another shape than the samples: nothing can be picked from it
            rows = trial.population
        if isinstance(self.reference, RemoteSession):
            known = against_partner(
                self._signature, self.remote, self.reference, rows, self._limits, self._nudge, batched
            )
        else:
            known = self.reference.conditioning(rows, self._rng)
        judged = verdicts(self._signature, self._limits, self._summation, rows, own, known, batched, trial.origin)
        return judged[: len(chosen)]

    def _decide(self, trial: Trial, values: Outputs, before: Mapping[str, Array] | None) -> None:
        if not self._wrong:
            return
        if self._cannot_nudge and self.partner is not None:
            # A near tie cannot be told from an error by one sample: nothing can be nudged but the inputs.
            rate = len(self._wrong) / max(1, self.standing.evaluations)
            if len(self._wrong) < _DISCRETE_WITNESSES or rate < 1e-5:
                self.standing.unsure = len(self._wrong)
                return
            self.standing.unsure = 0
        verdict = max(self._wrong, key=_extent)
        self.standing.worst = _extent(verdict)
        self.standing.worst_label = verdict.golden.label
        self.standing.failure = _words(verdict)
        self.standing.found = verdict, trial, before

    def witness(self) -> Witness | None:
        """The failing sample in its plainest form that still fails in a session of its own, if there is one."""
        if self.standing.found is None:
            return self._of_refusal()
        verdict, trial, before = self.standing.found
        sample = dict(verdict.golden.inputs)
        whole = dict(trial.population) if self._space.batched else sample
        try:
            if self._fails_anew([sample]):
                if self._space.batched and not self._space.recorded:
                    return self._plainest(verdict, sample)
                return self._as_witness(verdict, [])
            earlier = dict(before or whole)
            few = {name: np.concatenate([values[:1], sample[name]]) for name, values in whole.items()}
            first = dict(self.opening or whole)
            for calls in (
                [sample, sample], [few], [whole], [few, few], [whole, whole], [earlier, whole], [first, whole],
                [first, earlier, whole],
            ):  # fmt: skip
                if self._fails_anew(calls):
                    return self._of_calls(calls, verdict)
        except RuntimeFailedError:
            pass  # the sample itself is a witness too
        return self._as_witness(verdict, [])

    def _of_refusal(self) -> Witness | None:
        """The inputs that the runtime at fault does not take, if it does not take them anew; the other one must."""
        if self.standing.refused is None or self.standing.at_fault is not self.remote:
            return None
        trial, before = self.standing.refused
        whole = dict(trial.population) if self._space.batched else {k: v[0] for k, v in trial.population.items()}
        first = trial.rows(np.array([0])).population if self._space.batched else whole
        for calls in ([first], [whole], [dict(before or whole), whole]):
            try:
                self.remote.run(calls, fresh=True)
            except RuntimeFailedError:
                golden = self._golden(calls[-1], trial.origin)
                return None if golden is None else self._told(golden, self._limits, calls[:-1])
        return None

    def _golden(self, feeds: Population, label: str) -> Golden | None:
        try:
            if isinstance(self.reference, RemoteSession):
                known = alone(self._signature, self.reference, feeds, self._nudge)
            else:
                known = self.reference.conditioning(feeds, self._rng)
        except RuntimeFailedError:
            return None
        return Golden(label, feeds, known.truth, second_answers(known.truth, known.keras_output), known.ulp_sensitivity)

    def _plainest(self, verdict: Verdict, sample: Population) -> Witness:
        plain = simplified(self._space, sample, self._still_fails)
        if any(not np.array_equal(plain[name], sample[name]) for name in sample):
            judged = self._judged_alone(verdict, plain)
            verdict = judged if judged.wrong else verdict
        return self._as_witness(verdict, [])

    def _judged_alone(self, verdict: Verdict, sample: Population) -> Verdict:
        """The verdict on a sample in a session of its own; when it is wrong there, it is what the check tells."""
        population = sample if self._space.batched else {name: value[np.newaxis] for name, value in sample.items()}
        trial = Trial(population, {}, verdict.golden.label)
        (values,) = self.remote.run([sample], fresh=True)
        (judged,) = self._judge(trial, np.array([0]), values)
        if judged.wrong:
            self.standing.failure = _words(judged)
        return judged

    def _still_fails(self, population: Population) -> Array:
        (values,) = self.remote.run([population])
        references = self._reference_of(population)
        return scores(self._signature, self._limits, values, references, self._space.batched) > _CLEARLY

    def _reference_of(self, feeds: Population) -> Outputs:
        if isinstance(self.reference, RemoteSession):
            return self.reference.run([feeds])[0]
        return self.reference.outputs(feeds)

    def _fails_anew(self, calls: list[Population]) -> bool:
        """Whether the last of some calls is wrong in a session opened for them."""
        *_, values = self.remote.run(calls, fresh=True)
        references = self._reference_of(calls[-1])
        return bool((scores(self._signature, self._limits, values, references, self._space.batched) > 1).any())

    def _of_calls(self, calls: list[Population], verdict: Verdict) -> Witness:
        last = calls[-1]
        known = (
            against_partner(self._signature, self.remote, self.reference, last, self._limits, self._nudge, True)
            if isinstance(self.reference, RemoteSession)
            else self.reference.conditioning(last, self._rng)
        )
        golden = replace(
            verdict.golden,
            inputs=last,
            truth=known.truth,
            keras_output=known.keras_output,
            ulp_sensitivity=known.ulp_sensitivity,
        )
        return self._as_witness(replace(verdict, golden=golden), calls[:-1])

    def _as_witness(self, verdict: Verdict, before: list[Population]) -> Witness:
        own = second_answers(verdict.golden.truth, verdict.golden.keras_output)
        return self._told(replace(verdict.golden, keras_output=own), verdict.limits, before)

    def _told(self, golden: Golden, limits: Mapping[str, OutputLimit], before: list[Population]) -> Witness:
        reference = self.partner.runtime.name if self.partner else "truth"
        numbers = {name: limit.limit for name, limit in limits.items()}
        scales = {name: limit.scale for name, limit in limits.items()}
        beyond = {name: m for name, m in golden.ulp_sensitivity.items() if (m > numbers[name] * scales[name]).any()}
        return Witness(replace(golden, ulp_sensitivity=beyond), reference, numbers, scales, before)


def _fits(values: Outputs, trial: Trial) -> bool:
    return all(value.shape[:1] == (trial.count,) for value in values.values())


def _extent(verdict: Verdict) -> float:
    """In limits: how far out the worst output is, infinite where it is no matter of numbers."""
    found = [0.0]
    for name, outcome in verdict.outcomes.items():
        if outcome.ran and not outcome.passed:
            limit = verdict.limits[name].limit
            number = outcome.figure is not None and limit > 0 and outcome.figure > limit
            found.append(outcome.figure / limit if number and outcome.figure is not None else np.inf)
    return max(found)


def _words(verdict: Verdict) -> str:
    texts = [
        f"{name}: {problem}"
        for name, outcome in verdict.outcomes.items()
        if outcome.ran
        for problem in outcome.problems
    ]
    return "; ".join(texts)
