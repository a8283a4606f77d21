"""Checking the contracts of a bundle in one runtime."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from kexport.bundle import counterexamples
from kexport.bundle.code_entry import described, import_options, of_names
from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.facts import CodedFact, FactCode
from kexport.bundle.folder import Bundle
from kexport.bundle.json_text import Json
from kexport.bundle.precision import INTEGER, weight_rounding
from kexport.bundle.report import Check, CheckKind, Measurement, Subject
from kexport.bundle.signature import Array
from kexport.contracts import EFFORT, Contract, Effort, Experiment, Function, Slack, Verdict, WeightContract, kinds
from kexport.errors import BundleError, KexportError, UsageError, reason
from kexport.field.trust import Trust
from kexport.field.verification.artifact_in_runtime import ArtifactInRuntime
from kexport.parity.budget import Budget
from kexport.parity.space import Population, space_of
from kexport.runtimes import Session

_CARRIED = "counterexample"  # among the metrics of a check, until it is kept
_FEW = 8  # numbers that fit into a line
_STATEFUL = "the model keeps state between calls, so its output is not a function of its inputs"
_SATURATED = (
    "integers end where calibration ended: calibrate on the whole domain (--calibration domain), or leave out this "
    "precision"
)
_COARSE = "integers are too coarse for it, or end too early: leave out this precision, or keep layers in float (--keep)"
_IMPORT = "name the file or module that registers it with --import"


def effort_of(budget: Budget | None, contracts: int, turns: int | None = None) -> Effort:
    """The effort for each of several contracts, which share the budget of a search, if one was requested."""
    if budget is None:
        return replace(EFFORT, turns=turns)
    seconds = EFFORT.seconds if budget.seconds is None else max(EFFORT.seconds, budget.seconds / max(1, contracts))
    samples = max(EFFORT.samples, budget.evaluations or int(EFFORT.samples * seconds / EFFORT.seconds))
    return Effort(samples, seconds, budget.seed, turns=turns, patience=None)


def check_contracts(tested: ArtifactInRuntime, session: Session, effort: Effort = EFFORT) -> Iterator[Check]:
    """Check every contract about the function; contracts about weights were checked when the bundle was built.

    Args:
        tested: the artifact in its runtime; the imports that it trusts run where a kind of contract is not known.
        session: the artifact, loaded.
        effort: how long to search for a counterexample to each contract.
    """
    bundle = tested.bundle
    manifest = bundle.manifest
    if not manifest.contracts:
        return
    space = space_of(bundle)
    limits = {limit.output: limit for limit in tested.limits}
    slack = Slack(limits, manifest.ulp, weight_rounding(tested.artifact.precision))
    try:
        earlier, damaged = _earlier_counterexamples(bundle)
    except BundleError as error:
        yield Check.not_run(CheckKind.CONTRACT, tested.subject, str(error))
        return
    for why in damaged:
        yield Check.failure(CheckKind.CONTRACT, tested.subject, f"an earlier counterexample cannot be read: {why}")
    for entry in manifest.contracts:
        if not entry.outputs:
            continue  # about weights
        subject = replace(tested.subject, output=entry.outputs[0], contract=entry.kind)
        if manifest.stateful:
            yield Check.not_run(CheckKind.CONTRACT, subject, _STATEFUL)
            continue
        try:
            contract = _contract_of(entry, tested.trust)
        except UsageError as error:
            yield Check.not_run(CheckKind.CONTRACT, subject, error.subject, _what_to_give(bundle, entry))
            continue
        if isinstance(contract, WeightContract):
            continue
        first = [probe for other, probe in earlier if counterexamples.same(other, entry)]
        function = Function(session, space, entry.inputs, entry.outputs)
        experiment = Experiment(function, space, slack, replace(effort, first=first))
        check = _check(entry, contract, experiment, replace(subject, contract=kinds.text(contract)))
        failed_in_integers = tested.artifact.precision in INTEGER and check.ran and not check.passed
        saturated = (_SATURATED if space.recorded else _COARSE,) * failed_in_integers
        yield replace(check, facts=(*check.facts, *_code_facts(bundle, entry, contract), *saturated))


def notes(entries: Sequence[ContractEntry]) -> list[str]:
    """The notes of a report about contracts that are not checked in a runtime."""
    return [
        f"{_text(entry)} of layer {entry.layer} is about weights: checked when the bundle was built"
        for entry in entries
        if not entry.outputs
    ]


def _text(entry: ContractEntry) -> str:
    """The contract as text, whether its kind is known here or not."""
    return f"{entry.kind}(" + ", ".join(f"{name}={value!r}" for name, value in entry.params.items()) + ")"


def _contract_of(entry: ContractEntry, trust: Trust) -> Contract | WeightContract:
    """The contract of an entry of the manifest; trusted imports run first if its kind is not known without them.

    Raises:
        UsageError: its kind is unknown here, or does not take the parameters.
    """
    if entry.kind not in kinds.names():
        trust.run_imports()
    return kinds.contract_of(entry)


def _what_to_give(bundle: Bundle, entry: ContractEntry) -> str:
    """How to register the kind of a contract, by what the bundle records of its code."""
    recorded = of_names(bundle.manifest.code, [entry.kind])
    options = import_options(recorded)
    return f"it needs {described(recorded)}: give it with {options}" if options else _IMPORT


def _code_facts(bundle: Bundle, entry: ContractEntry, contract: Contract) -> list[CodedFact]:
    """Where the code of a kind of contract is not what the bundle was built with."""
    recorded = of_names(bundle.manifest.code, [entry.kind])
    if not recorded:
        return []
    from kexport.field.code_origin import differences  # most kinds are kexport's own

    return [CodedFact(FactCode.OTHER_CODE, text) for text in differences(recorded, {entry.kind: type(contract)})]


def _earlier_counterexamples(bundle: Bundle) -> tuple[list[tuple[ContractEntry, Population]], list[str]]:
    """The counterexamples in the bundle, and an error text for each that cannot be read.

    Raises:
        BundleError: their folder cannot be read.
    """
    earlier, damaged = [], []
    for path in counterexamples.paths(bundle.path):
        try:
            entry, probe = counterexamples.read(bundle.path / path, bundle.signature, bundle.max_bytes)
        except KexportError as error:
            damaged.append(str(error))
        else:
            earlier.append((entry, dict(probe)))
    return earlier, damaged


def _check(entry: ContractEntry, contract: Contract, experiment: Experiment, subject: Subject) -> Check:
    try:
        verdict = contract.check(experiment.function, experiment.space, experiment.slack, experiment.effort)
    except KexportError as error:
        return Check.failure(CheckKind.CONTRACT, subject, str(error))
    except Exception as error:  # noqa: BLE001  a runtime may raise anything; here it becomes a failed check
        return Check.failure(CheckKind.CONTRACT, subject, reason(error))
    if verdict.passed and not verdict.untested and not experiment.function.varies:
        verdict = replace(verdict, untested="the output is the same for every sample")
    facts = _facts(verdict, contract, entry)
    if verdict.broken_by is not None:
        facts.append(_values(verdict.broken_by))
    return Check(
        CheckKind.CONTRACT,
        verdict.passed,
        subject,
        Measurement(_finite(verdict.figure), _finite(verdict.limit), verdict.unit),
        tuple(fact for fact in facts if fact),
        verdict.ran,
        {**verdict.metrics, "tried": verdict.tried, **_found(verdict, entry)},
    )


def _facts(verdict: Verdict, contract: Contract, entry: ContractEntry) -> list[str]:
    facts = []
    if verdict.ran and not verdict.passed:
        who = f"layer {entry.layer} promised" if entry.layer else "promised at build time"
        facts.append(f"{who} that it {contract.words()}")
    if verdict.figure is not None and not math.isfinite(verdict.figure):
        facts.append("the figure is infinite or NaN")
    return [*facts, *verdict.facts]


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _found(verdict: Verdict, entry: ContractEntry) -> dict[str, Json]:
    """Why a promise was not put to the test; and the file of the sample that broke it, for `kept`."""
    found: dict[str, Json] = {"untested": verdict.untested} if verdict.untested else {}
    if verdict.broken_by is not None:
        found[_CARRIED] = base64.b64encode(counterexamples.content(entry, verdict.broken_by)).decode()
    return found


def kept(bundle: Bundle, check: Check) -> Check:
    """The check, once the counterexample that it carries is in the bundle; the process that found it may not write."""
    carried = check.metrics.get(_CARRIED)
    if not isinstance(carried, str):
        return check
    try:
        where = f"the input is in {counterexamples.place(bundle.path, base64.b64decode(carried))}"
    except OSError as error:
        where = f"the input could not be stored in the bundle: {error.strerror or error}"
    metrics = {name: value for name, value in check.metrics.items() if name != _CARRIED}
    return replace(check, facts=(*check.facts, where), metrics=metrics)


def _values(probe: Population) -> str:
    """The numbers of a small probe, `x = [0.5, -1]`; empty when there are many, or several samples."""
    if sum(values.size for values in probe.values()) > _FEW or any(len(values) > 1 for values in probe.values()):
        return ""
    return ", ".join(f"{name} = {_numbers(values[0])}" for name, values in probe.items())


def _numbers(values: Array) -> str:
    """Numbers as short as their dtype allows, nested in brackets."""
    if values.ndim:
        return "[" + ", ".join(_numbers(np.asarray(each)) for each in values) + "]"
    return str(values.dtype.type(values)).removesuffix(".0")
