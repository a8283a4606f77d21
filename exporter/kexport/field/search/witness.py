"""The input that shows a failure, in its simplest form, and its reference outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kexport.bundle.goldens import Golden
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array
from kexport.bundle.witnesses import Witness
from kexport.field.remote import RuntimeFailedError
from kexport.field.search.reference import second_answers
from kexport.field.search.target import SearchCall, SearchTarget, WrongSample
from kexport.field.search.verdicts import SampleVerdict
from kexport.parity.shrink import simplified
from kexport.parity.space import Population

_CLEARLY = 2.0  # limits; a sample simplified down to the limit itself would pass again


def nearest(target: SearchTarget) -> Witness | None:
    """The input that came nearest to the limit, if there is one on which the outputs can be judged.

    Raises:
        RuntimeFailedError: the runtime fails on it now.
    """
    trial = target.state.worst_sample
    if trial is None:
        return None
    (values,) = target.session.run([trial.feeds(target.terms.batched)])
    (verdict,) = target.judge(trial, np.array([0]), values)
    judged = all(outcome.ran for outcome in verdict.outcomes.values())
    return _of_verdict(target, verdict, []) if judged else None


def failing(target: SearchTarget) -> Witness | None:
    """The failing sample, simplified as far as it still fails in a fresh session, if there is one."""
    wrong = target.state.wrong
    if wrong is None:
        return _of_refusal(target)
    verdict = wrong.verdict
    sample = dict(verdict.golden.inputs)
    try:
        if _fails_anew(target, [sample]):
            if target.terms.batched and not target.terms.space.recorded:
                return _simplified(target, verdict, sample)
            return _of_verdict(target, verdict, [])
        for calls in _histories(target, wrong):
            if _fails_anew(target, calls):
                return _of_calls(target, calls, verdict)
    except RuntimeFailedError:
        pass  # the sample itself is a witness too
    return _of_verdict(target, verdict, [])


def _histories(target: SearchTarget, wrong: WrongSample) -> list[list[Population]]:
    """Calls after which the sample may fail again, the shortest first; the last one of each holds the sample."""
    sample = dict(wrong.verdict.golden.inputs)
    whole = dict(wrong.call.trial.population) if target.terms.batched else sample
    earlier = dict(wrong.call.before or whole)
    few = {name: np.concatenate([values[:1], sample[name]]) for name, values in whole.items()}
    first = dict(target.opening or whole)
    return [
        [sample, sample], [few], [whole], [few, few], [whole, whole], [earlier, whole], [first, whole],
        [first, earlier, whole],
    ]  # fmt: skip


def _of_refusal(target: SearchTarget) -> Witness | None:
    """The inputs that the runtime at fault rejects, if it rejects them again; the reference must accept them."""
    call = target.state.refused
    if call is None or target.state.at_fault is not target.session:
        return None
    for calls in _refused_calls(call, target.terms.batched):
        try:
            target.session.run(calls, fresh=True)
        except RuntimeFailedError:
            try:
                reference = target.conditioning(calls[-1], reference_alone=True)
            except RuntimeFailedError:
                return None
            golden = Golden(
                call.trial.origin,
                calls[-1],
                reference.truth,
                reference.second_answers,
                reference.ulp_sensitivity,
            )
            return _witness(target, golden, target.terms.limits, calls[:-1])
    return None


def _refused_calls(call: SearchCall, batched: bool) -> list[list[Population]]:
    whole = dict(call.trial.feeds(batched))
    first = call.trial.rows(np.array([0])).population if batched else whole
    return [[first], [whole], [dict(call.before or whole), whole]]


def _simplified(target: SearchTarget, verdict: SampleVerdict, sample: Population) -> Witness:
    def still_fails(population: Population) -> Array:
        (values,) = target.session.run([population])
        return np.asarray(target.terms.scores(values, target.reference.outputs(population)) > _CLEARLY)

    plainer = simplified(target.terms.space, sample, still_fails)
    if any(not np.array_equal(plainer[name], sample[name]) for name in sample):
        judged = target.judge_alone(verdict, plainer)
        verdict = judged if judged.wrong else verdict
    return _of_verdict(target, verdict, [])


def _fails_anew(target: SearchTarget, calls: Sequence[Population]) -> bool:
    """Whether the last of some calls is wrong in a session opened for them."""
    *_, values = target.session.run(calls, fresh=True)
    return bool((target.terms.scores(values, target.reference.outputs(calls[-1])) > 1).any())


def _of_calls(target: SearchTarget, calls: Sequence[Population], verdict: SampleVerdict) -> Witness:
    reference = target.conditioning(calls[-1])
    golden = Golden(
        verdict.golden.label, calls[-1], reference.truth, reference.keras_output, reference.ulp_sensitivity
    )  # fmt: skip
    return _of_verdict(target, replace(verdict, golden=golden), calls[:-1])


def _of_verdict(target: SearchTarget, verdict: SampleVerdict, before: Sequence[Population]) -> Witness:
    golden = verdict.golden
    kept = replace(golden, keras_output=second_answers(golden.truth, golden.keras_output))
    return _witness(target, kept, verdict.limits, before)


def _witness(
    target: SearchTarget, golden: Golden, limits: Mapping[str, OutputLimit], before: Sequence[Population]
) -> Witness:
    """The witness, which stores the sensitivity of those outputs alone where it is more than the limit."""
    sensitive = {
        name: values
        for name, values in golden.ulp_sensitivity.items()
        if (values > limits[name].sensitive).any()
    }  # fmt: skip
    return Witness(
        replace(golden, ulp_sensitivity=sensitive),
        target.reference.name,
        {name: limit.limit for name, limit in limits.items()},
        {name: limit.scale for name, limit in limits.items()},
        before,
    )
