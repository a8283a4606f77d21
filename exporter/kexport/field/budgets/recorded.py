"""Checking again, on another machine, the budgets that a bundle was built with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kexport.bundle.budget_entry import BudgetEntry
from kexport.bundle.budgets import Budgets
from kexport.bundle.folder import Bundle
from kexport.bundle.manifest import Artifact
from kexport.bundle.report import Check, CheckKind, Subject
from kexport.errors import UsageError
from kexport.field.budgets.checks import artifact_checks
from kexport.field.budgets.not_judged import not_judged
from kexport.runtimes import Runtime


@dataclass(frozen=True)
class _Judging:
    """What the budgets of a bundle are judged by, as `recorded_checks` describes it."""

    bundle: Bundle
    found: Sequence[Check]
    every: bool

    def checks(self, artifact: Artifact, entry: BudgetEntry, readers: Sequence[Runtime]) -> Iterator[Check | str]:
        """The checks of one budget, or a note on it."""
        subject = Subject(artifact.path)
        try:
            budgets = Budgets.of(entry.text)
        except UsageError as error:
            yield not_judged(subject, entry.text, error.subject, "hint: a newer kexport may know this kind of budget")
            return
        if budgets.drop is not None:
            name = budgets.drop.metric
            able = [each for each in readers if any(_is_of(name, check, artifact, each) for check in self.found)]
            why = f"it needs --metric {name} and --labels FILE" if readers else ""
        elif budgets.latency is not None:
            able = [*readers] if self.every else []
            why = "times are measured with --budgets" if readers else ""
        else:
            able, why = [*readers], ""
        if able or budgets.size is not None:
            yield from artifact_checks(self.bundle, artifact, budgets, self.found, able)
        elif budgets.decibels is None:
            why = why or f"no runtime of {artifact.format} was checked"
            if self.every:
                yield not_judged(subject, entry.text, why)
            else:
                yield f"{artifact.path}: at the build, {entry}; not checked again here: {why}"


def recorded_checks(
    bundle: Bundle,
    artifacts: Iterable[Artifact],
    found: Sequence[Check],
    chosen: Sequence[Runtime],
    *,
    every: bool,
) -> Iterator[Check | str]:
    """The checks of what can be judged, and a note on each budget that is left.

    Sizes are always judged, and metrics where one was computed; the ratio of signal to noise is a limit of the
    artifact, which its parity is judged by. How long calls take is measured only where it was asked for.

    Args:
        bundle: the bundle.
        artifacts: those of it that are checked.
        found: the checks so far, with the metric of every artifact.
        chosen: the runtimes that were checked, the best first.
        every: whether what is left is a check that was not run, instead of a note; and times are measured.
    """
    judging = _Judging(bundle, found, every)
    for artifact in artifacts:
        readers = [each for each in chosen if each.reads == artifact.format]
        for entry in artifact.budgets:
            yield from judging.checks(artifact, entry, readers)


def _is_of(metric: str, check: Check, artifact: Artifact, runtime: Runtime) -> bool:
    """Whether a check has a metric's figure of an artifact in a runtime."""
    places = (check.artifact, check.runtime) == (artifact.path, runtime.name)
    return check.kind is CheckKind.METRIC and places and check.metrics.get("metric") == metric
