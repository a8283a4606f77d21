"""A release gate: how much worse one model may be than another, by a metric of labelled samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kexport.bundle.domain import Samples
from kexport.bundle.json_text import JsonObject
from kexport.bundle.report import Check, CheckKind, Measurement, Subject
from kexport.errors import UsageError
from kexport.field.comparison.replay import runtimes_of
from kexport.field.comparison.shared_interface import InterfaceOptions, SharedInterface
from kexport.field.evaluation import Evaluation, MetricRequest, Score, change_entry, entry_of, rows_words, run_of
from kexport.field.remote import RemoteSession, RuntimeFailedError
from kexport.metrics import CONFIDENCE, Change, Metric, MetricError, figure_words, interval_words
from kexport.parity.budget import DEFAULT_SEARCH, Budget
from kexport.parity.strictness import Strictness


@dataclass(frozen=True)
class MetricGate:
    """A metric, and how much worse by it B may be than A.

    Attributes:
        request: the metric and the labels.
        most: the largest drop, in points for a proportion, else in the unit of the metric.
    """

    request: MetricRequest
    most: float = 0.0

    @classmethod
    def of(
        cls, metric: str | Callable[..., object] | None, labels: object, most: float | None = None
    ) -> MetricGate | None:
        """The gate that the arguments of a public function express; None if there is none.

        Raises:
            UsageError: the drop is given without a metric, or is no number from 0; or as `MetricRequest.of` raises.
        """
        request = MetricRequest.of(metric, labels)
        if request is None:
            if most is not None:
                raise UsageError("--max-drop needs a metric", expected="--metric accuracy --labels FILE, for example")
            return None
        if most is not None and not (math.isfinite(most) and most >= 0):
            raise UsageError("--max-drop is no number from 0", got=most)
        return cls(request, most or 0.0)

    def prepared(
        self, options: InterfaceOptions, strictness: Strictness, witness: Path | None
    ) -> tuple[MetricGate, InterfaceOptions]:
        """The gate with its labels in memory, and what the user says about inputs, without the labels among them.

        Args:
            options: what the user says about inputs.
            strictness: what was asked of a comparison of outputs, which a gate does not make.
            witness: likewise.

        Raises:
            UsageError: there are no samples, or the labels are all of their file, or more was asked for.
            InputError: the labels cannot be read.
        """
        budget = strictness.search
        searching = budget is not None and budget != Budget.parse(DEFAULT_SEARCH, budget.seed)
        for option, given in (("--tolerance", strictness.tolerance), ("--witness", witness), ("--search", searching)):
            if given:
                raise UsageError(
                    f"--metric compares the models by their figures alone, without {option}",
                    hint=f"compare twice: with --metric, and with {option}",
                )
        if options.samples is None:
            raise UsageError(
                "a metric needs recorded samples",
                expected="--samples FILE: a .npz with arrays by input name, a .npy or a .csv",
            )
        left = self.request.labels.part_of(options.samples)
        return replace(self, request=self.request.loaded(options.max_bytes)), replace(options, left=left)

    def checks(
        self, shared: SharedInterface, pairs: Sequence[tuple[RemoteSession, RemoteSession]], *, stateful: bool
    ) -> Iterator[Check]:
        """One check for each pair of sessions of A and B.

        Args:
            shared: their interface, whose domains are the samples.
            pairs: the sessions, by the names of the interface.
            stateful: whether one of them keeps state between calls.

        Raises:
            KexportError: labels, samples and models do not fit each other, or the metric of A is no finite number.
        """
        arrays = {name: domain.values for name, domain in shared.domains.items() if isinstance(domain, Samples)}
        evaluation = self.request.evaluation(shared.signature, arrays, stateful=stateful)
        for a, b in pairs:
            yield self._check(evaluation, a, b)

    def _check(self, evaluation: Evaluation, a: RemoteSession, b: RemoteSession) -> Check:
        subject = Subject(b.artifact, runtimes_of(a, b), evaluation.output.name)
        sides = [{"artifact": each.artifact, "runtime": each.runtime.name} for each in (a, b)]
        try:
            evaluation, before = evaluation.reference(run_of(a))
        except RuntimeFailedError as error:
            return Check.failure(CheckKind.METRIC, subject, f"{a.label} fails: {error}")
        try:
            after = evaluation.score(run_of(b))
        except RuntimeFailedError as error:
            return Check.failure(CheckKind.METRIC, subject, f"{b.label} fails: {error}")
        except MetricError as error:
            return Check.failure(CheckKind.METRIC, subject, f"of {b.label}", *str(error).splitlines())
        return self._judged(evaluation, subject, sides, (before, after))

    def _judged(
        self, evaluation: Evaluation, subject: Subject, sides: Sequence[JsonObject], scores: tuple[Score, Score]
    ) -> Check:
        metric, samples = evaluation.metric, len(evaluation.samples)
        found = evaluation.change(*scores)
        facts = [
            _verdict(found, metric, self.most),
            *rows_words(found, samples, metric),
            *(f"{side}: the outputs of {score.unanswered} samples hold NaN, which is never right"
              for side, score in zip("AB", scores, strict=True) if score.unanswered),
            *evaluation.labels.remarks,
        ]  # fmt: skip
        metrics = {
            "metric": metric.name,
            "unit": metric.unit,
            "higher_is_better": metric.higher_is_better,
            "samples": samples,
            "confidence": CONFIDENCE,
            **{side: {**told, **entry_of(score)} for side, told, score in zip("ab", sides, scores, strict=True)},
            **change_entry(found),
        }
        measured = Measurement(found.drop, self.most, metric.drop_unit or metric.name)
        passed = not found.exceeds(self.most)
        return Check(CheckKind.METRIC, passed, subject, measured, tuple(facts), metrics=metrics)


def _verdict(found: Change, metric: Metric[Any], most: float) -> str:
    """How much worse or better B is, and how much worse it may be."""
    unit = metric.drop_unit
    word, sign = ("better", -1) if found.drop < 0 else ("worse", 1)
    ends = None if found.interval is None else [sign * end for end in found.interval.ends][::sign]
    interval = "" if ends is None else f" (95 % interval {interval_words(ends, unit)})"
    return f"B is {word} by {figure_words(abs(found.drop), unit)}{interval}; {figure_words(most, unit)} allowed"
