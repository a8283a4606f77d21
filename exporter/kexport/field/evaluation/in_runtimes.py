"""The metric of every artifact in its runtimes, beside that of the truth."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kexport.bundle.report import Check, CheckKind, Measurement, Subject
from kexport.bundle.signature import Array
from kexport.errors import MissingCodeError, UncheckedError
from kexport.field.evaluation.evaluation import Evaluation, Run, Score
from kexport.field.evaluation.phrases import change_entry, entry_of, rows_words
from kexport.field.remote import ArtifactSource, RemoteSession, RuntimeFailedError
from kexport.field.workers import WorkerPool
from kexport.metrics import CONFIDENCE, MetricError, interval_words
from kexport.scratch import temporary_folder

#: What reports call the model itself in place of a runtime.
TRUTH = "truth"


def run_of(session: RemoteSession) -> Run:
    """Calls of a session, one at a time."""

    def run(feeds: Mapping[str, Array]) -> Mapping[str, Array]:
        return session.run([feeds])[0]

    return run


def score_artifact(evaluation: Evaluation, source: ArtifactSource, weights: int) -> Score:
    """The score of one artifact in one runtime, in a worker process that ends with the call.

    Args:
        evaluation: the metric and the samples, as `Evaluation.reference` gives it.
        source: the artifact and its runtime.
        weights: the size of the artifact in bytes, from which the limits of the process follow.

    Raises:
        RuntimeFailedError: the runtime raised an exception, or the process died.
        UncheckedError: the runtime is missing, or a call needed more time or memory than it may take.
        MetricError: there is no finite figure.
    """
    source.runtime.require()
    with temporary_folder(in_memory=True) as folder:
        confinement = source.trust.confinement(weights, 0, Path(folder))
        with contextlib.closing(WorkerPool(confinement=confinement)) as pool:
            return evaluation.score(run_of(RemoteSession(source, pool.worker_for(source.runtime), Path(folder))))


@dataclass(frozen=True)
class _Rows:
    """The checks of one evaluation.

    Attributes:
        evaluation: the metric and the samples.
        reference: the score of the truth, if that is known.
    """

    evaluation: Evaluation
    reference: Score | None

    def check(self, subject: Subject, score: Score) -> Check:
        """The figure of one artifact, which has no limit."""
        metric, samples = self.evaluation.metric, len(self.evaluation.samples)
        ends = None if score.interval is None else score.interval.ends
        facts = [f"{metric.name} of {samples} samples, 95 % interval {interval_words(ends, metric.unit)}"]
        metrics = {
            "metric": metric.name,
            "higher_is_better": metric.higher_is_better,
            "samples": samples,
            "confidence": CONFIDENCE,
            **entry_of(score),
        }
        if self.reference is None or subject.runtime == TRUTH:
            facts += self.evaluation.labels.remarks
        else:
            found = self.evaluation.change(self.reference, score)
            metrics |= {"truth": entry_of(self.reference), **change_entry(found)}
            facts += rows_words(found, samples, metric)
        if score.unanswered:
            facts.append(f"the outputs of {score.unanswered} samples hold NaN, which is never right")
        measured = Measurement(score.value, unit=metric.unit or metric.name)
        return Check(CheckKind.METRIC, True, subject, measured, tuple(facts), metrics=metrics)


def metric_checks(evaluation: Evaluation, sessions: Iterable[RemoteSession], truth: Run | None) -> Iterator[Check]:
    """The figure of the truth, then that of every session.

    Args:
        evaluation: the metric and the samples.
        sessions: those of the artifacts.
        truth: the model itself; None where it is not here.

    Raises:
        MetricError: the truth has no finite figure.
    """
    output = evaluation.output.name
    reference = None
    if truth is not None:
        try:
            evaluation, reference = evaluation.reference(truth)
        except ValueError as error:
            yield Check.not_run(CheckKind.METRIC, Subject(None, TRUTH, output), f"the model itself fails: {error}")
            return
        yield _Rows(evaluation, None).check(Subject(None, TRUTH, output), reference)
    decided = reference is not None
    for session in sessions:
        subject = Subject(session.artifact, session.runtime.name, output)
        try:
            if decided:
                score = evaluation.score(run_of(session))
            else:
                evaluation, score = evaluation.reference(run_of(session))
                decided = True
        except RuntimeFailedError as error:
            yield Check.failure(CheckKind.METRIC, subject, str(error))
        except MetricError as error:
            yield Check.failure(CheckKind.METRIC, subject, *str(error).splitlines())
        except (MissingCodeError, UncheckedError) as error:
            yield Check.not_run(CheckKind.METRIC, subject, str(error))
        else:
            yield _Rows(evaluation, reference).check(subject, score)
