"""Decides whether a sample beyond the limit is wrong, or the model itself is ill-conditioned there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kexport.bundle.goldens import Golden
from kexport.bundle.limits import DECLARED, OutputLimit
from kexport.bundle.signature import TensorSpec
from kexport.field.remote import Outputs
from kexport.field.search.reference import Conditioning
from kexport.field.search.terms import Feeds, Terms
from kexport.parity.outcome import Outcome
from kexport.parity.outputs import OutputsComparison
from kexport.parity.scores import local, row
from kexport.parity.tolerance import FLOOR_MULTIPLE, LARGEST_LIMIT


@dataclass(frozen=True)
class SampleVerdict:
    """The verdict on one sample after a closer look.

    Attributes:
        wrong: whether an element lies beyond its limit where the model is well-conditioned.
        excluded: whether the model is ill-conditioned at all elements that lie beyond.
        golden: the sample, and its reference outputs.
        limits: the limit of each output, for this sample.
        outcomes: the outcome for each output.
    """

    wrong: bool
    excluded: bool
    golden: Golden
    limits: Mapping[str, OutputLimit]
    outcomes: Mapping[str, Outcome]

    @property
    def distance(self) -> float:
        """The distance of the worst output, in limits; infinite where the fault is not a numeric difference."""
        distances = [0.0]
        for name, outcome in self.outcomes.items():
            if outcome.ran and not outcome.passed:
                limit = self.limits[name].limit
                number = outcome.figure is not None and limit > 0 and outcome.figure > limit
                distances.append(outcome.figure / limit if number and outcome.figure is not None else np.inf)
        return max(distances)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, output by output, one sentence each."""
        return tuple(
            f"{name}: {problem}"
            for name, outcome in self.outcomes.items()
            if outcome.ran
            for problem in outcome.problems
        )


def verdicts(
    terms: Terms,
    accumulation_factor: float,
    feeds: Feeds,
    values: Outputs,
    reference: Conditioning,
    label: str,
) -> list[SampleVerdict]:
    """Judge each sample of a batch, as the goldens are judged.

    Args:
        terms: the terms of the comparison.
        accumulation_factor: the larger one of the runtimes compared.
        feeds: the samples.
        values: what the runtime computed.
        reference: what it is compared with.
        label: the label of the samples.
    """
    batched = terms.batched
    count = len(next(iter(feeds.values()))) if batched else 1
    judged = []
    for index in range(count):
        sample, value = reference.sample(index, batched), row(values, index, batched)
        limits = {spec.name: _limit(terms, spec, sample, accumulation_factor) for spec in terms.signature.outputs}
        golden = Golden(
            label, row(feeds, index, batched), sample.truth, sample.keras_output, sample.ulp_sensitivity
        )  # fmt: skip
        comparison = OutputsComparison(terms.signature, limits.values(), one_case=True)
        comparison.add_golden(golden, value)
        outcomes = comparison.outcomes()
        wrong = any(outcome.ran and not outcome.passed for outcome in outcomes.values())
        excluded = any(outcome.excludes for outcome in outcomes.values())
        judged.append(SampleVerdict(wrong, not wrong and excluded, golden, limits, outcomes))
    return judged


def _limit(terms: Terms, spec: TensorSpec, sample: Conditioning, accumulation_factor: float) -> OutputLimit:
    """The limit of an output on a sample, widened by the noise of float arithmetic there unless it is declared."""
    limit = local(spec, terms.limits[spec.name], sample.truth[spec.name])
    if not spec.is_float or limit.source == DECLARED:
        return limit
    # The noise of the sample, but for that of edges: what one element shows by luck another does not.
    noise = sample.arithmetic_noise(spec.name, accumulation_factor)
    floor = noise[FLOOR_MULTIPLE * noise <= LARGEST_LIMIT * limit.scale].max(initial=0.0)
    return replace(limit, limit=max(limit.limit, FLOOR_MULTIPLE * float(floor) / limit.scale))
