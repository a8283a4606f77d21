"""What was checked, what failed, and what could not be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Report
from kexport.parity.localised_bundle import LocalisedBundle
from kexport.reports import NOTHING_COMPARED, adequacy_lines, fact_lines, place, short_contract, verdict

_WORDS = {
    CheckKind.MODEL: "the model itself is a function",
    CheckKind.ADEQUACY: "the goldens see the model",
    CheckKind.DIGEST: "files are those that were built",
    CheckKind.SIGNATURE: "names, dtypes and shapes",
    CheckKind.PARITY: "outputs on the goldens",
    CheckKind.WITNESS: "outputs on inputs that a search kept",
    CheckKind.SEARCH: "searches for the worst input",
    CheckKind.CONTRACT: "promises, in each runtime",
    CheckKind.METRIC: "metrics of labelled samples",
    CheckKind.BUDGET: "budgets of small precisions",
    CheckKind.RUNTIME: "runtimes that could not run",
    CheckKind.EXPORT: "formats that could not be written",
    CheckKind.REBUILD: "the bytes of another build",
}
_MOST_FAILURES = 60


@dataclass(frozen=True)
class Outlook:
    """A verdict in a word and a sentence; `tone` is `good`, `bad` or `open`."""

    word: str
    sentence: str
    tone: str


def standing(report: Report) -> Outlook:
    """The verdict on a report."""
    failed = sum(not check.passed and check.ran for check in report.checks)
    missing = sum(not check.ran for check in report.checks)
    count = len(report.checks)
    if failed:
        also = f", {missing} could not be run" if missing else ""
        return Outlook("Failed", f"{failed} of {count} checks failed{also}", "bad")
    if missing:
        return Outlook("Not proved", f"{missing} of {count} checks could not be run", "open")
    if not report.passed:
        return Outlook("Not proved", NOTHING_COMPARED, "open")
    return Outlook("Passed", f"all {count} checks passed", "good")


def localised_standing(localised: LocalisedBundle) -> Outlook:
    """The verdict on a bundle whose layers were compared."""
    layers = dict.fromkeys(each.layer for artifact in localised.artifacts for each in artifact.divergences)
    if localised.model_at_fault:
        return Outlook("Failed", "the model itself is at fault", "bad")
    if any(artifact.failed for artifact in localised.artifacts):
        return Outlook("Failed", f"an artifact diverges at {', '.join(layers) or 'a layer that has no name'}", "bad")
    if localised.exit_code:
        return standing(localised.built)
    return Outlook("Passed", "no artifact diverges from the model", "good")


@dataclass(frozen=True)
class KindRow:
    """How many checks of one kind there are, and how they ended."""

    words: str
    count: int
    failed: int
    missing: int


def kind_rows(report: Report) -> list[KindRow]:
    """One row per kind of check that there is."""
    rows = []
    for kind in CheckKind:
        checks = [check for check in report.checks if check.kind is kind]
        if checks:
            failed = sum(not check.passed and check.ran for check in checks)
            rows.append(
                KindRow(_WORDS.get(kind, kind.value), len(checks), failed, sum(not check.ran for check in checks))
            )
    return rows


@dataclass(frozen=True)
class Failure:
    """A check that did not pass: where, and why."""

    verdict: str
    where: str
    lines: tuple[str, ...]


def failures(report: Report) -> list[Failure]:
    """The checks that did not pass."""
    found = [check for check in report.checks if not check.passed]
    shown = [_failure(check) for check in found[:_MOST_FAILURES]]
    more = len(found) - len(shown)
    return shown + [Failure("", f"and {more} more", ())] * bool(more)


def _failure(check: Check) -> Failure:
    return Failure(verdict(check), f"{check.kind}: {place(check)}", tuple(fact_lines(check)))


def unseen(report: Report, bundle: Bundle | None) -> Iterator[tuple[str, str]]:
    """What the checks could not see, each with a word for it: the reader must not take it for proved."""
    if bundle is not None and bundle.manifest.adequacy is not None:
        yield from adequacy_lines(bundle.manifest.adequacy)
    told: set[str] = set()
    for check in report.checks:
        reason = check.metrics.get("untested")
        line = f"{check.output or 'the model'}: {short_contract(check.contract or '-')}: {reason}"
        if reason and line not in told:
            told.add(line)
            yield "untested", line
        apart = check.metrics.get("set_apart")
        if check.kind is CheckKind.PARITY and apart:
            of = check.metrics.get("elements")
            yield "set apart", f"{place(check)}: {apart} of {of} elements, where one ulp changes the value"
    if bundle is not None:
        for each in bundle.manifest.not_carried:
            yield "not carried", f"{each.kind} of {each.layer} ends at {each.ended_by}: {each.why}"
    for note in report.notes:
        yield "note", str(note)
