"""The promises of a model, each with its verdicts in all runtimes and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Report
from kexport.contracts import Contract, WeightContract, kinds
from kexport.errors import KexportError
from kexport.page.promise_picture import Picture, pictures
from kexport.reports import figure_and_limit, short_contract, verdict

_MOST = 40


@dataclass(frozen=True)
class PromiseRow:
    """The verdict on a promise in one runtime."""

    where: str
    figure: str
    limit: str
    unit: str
    verdict: str


@dataclass(frozen=True)
class Promise:
    """A promise of the model.

    Attributes:
        title: about what it is, and what it states.
        text: the contract as it is written.
        passed: whether it holds in every runtime.
        rows: one per runtime.
        pictures: what can be drawn of it.
        untested: why it was not put to the test; empty where it was.
    """

    title: str
    text: str
    passed: bool
    rows: tuple[PromiseRow, ...]
    pictures: tuple[Picture, ...]
    untested: str = ""


def promises(report: Report, bundle: Bundle | None) -> list[Promise]:
    """The promises of a report in its order, the first `_MOST` of them."""
    groups: dict[tuple[str | None, str | None], list[Check]] = {}
    for check in report.checks:
        if check.kind is CheckKind.CONTRACT:
            groups.setdefault((check.output, check.contract), []).append(check)
    return [_promise(checks, bundle) for checks in list(groups.values())[:_MOST]]


def _promise(checks: Sequence[Check], bundle: Bundle | None) -> Promise:
    first = checks[0]
    text = first.contract or "-"
    contract = None if bundle is None else _contract(first, bundle)
    states = text.partition("(")[0] if contract is None else contract.words()
    rows = tuple(PromiseRow(_where(check), *figure_and_limit(check), check.unit or "", verdict(check))
                 for check in checks)  # fmt: skip
    untested = next((str(reason) for check in checks if (reason := check.metrics.get("untested"))), "")
    title = f"{first.output or _layer(first)} {states}"
    passed = all(check.passed for check in checks)
    return Promise(title, short_contract(text), passed, rows, tuple(pictures(contract, checks)), untested)


def _where(check: Check) -> str:
    precision = ".".join((check.artifact or "").split(".")[1:-1])
    return f"{check.runtime or 'weights'} {precision}".strip()


def _layer(check: Check) -> str:
    return check.artifact or "the model"


def _contract(check: Check, bundle: Bundle) -> Contract | WeightContract | None:
    """The contract of a check; None if its kind, or its parameters, are not known here."""
    for entry in bundle.manifest.contracts:
        contract = _made(entry)
        about = entry.outputs[0] if entry.outputs else None
        if contract is not None and kinds.text(contract) == check.contract and about in (check.output, None):
            return contract
    return None


def _made(entry: ContractEntry) -> Contract | WeightContract | None:
    try:
        return kinds.contract_of(entry)
    except KexportError:
        return None
