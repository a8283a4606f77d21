"""The contracts of a bundle, checked in one runtime."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kexport.bundle import counterexamples
from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Measurement, Subject
from kexport.contracts import EFFORT, Contract, Effort, Function, Slack, Verdict, WeightContract, kinds
from kexport.errors import KexportError, UsageError, reason
from kexport.field.trust import Trust
from kexport.field.verification.artifact_in_runtime import ArtifactInRuntime
from kexport.parity.budget import Budget
from kexport.parity.space import Population, space_of
from kexport.runtimes import Session

_FEW = 8  # numbers that a person takes in at a glance


def effort_of(budget: Budget | None, promises: int) -> Effort:
    """How long each of so many contracts is hunted for: a search that was asked for is shared among them."""
    if budget is None:
        return EFFORT
    seconds = EFFORT.seconds if budget.seconds is None else max(EFFORT.seconds, budget.seconds / max(1, promises))
    samples = max(EFFORT.samples, budget.evaluations or int(EFFORT.samples * seconds / EFFORT.seconds))
    return Effort(samples, seconds, budget.seed)


def check_contracts(tested: ArtifactInRuntime, session: Session, effort: Effort = EFFORT) -> Iterator[Check]:
    """Check every promise about the function; those about weights were checked when the bundle was built.

    Args:
        tested: the artifact in its runtime; the imports that it trusts run where a kind of contract is not known.
        session: the same, loaded.
        effort: how long to look for a violation of each contract.
    """
    bundle = tested.bundle
    promises = bundle.manifest.contracts
    if not promises:
        return
    space = space_of(bundle)
    slack = Slack({limit.output: limit for limit in tested.limits}, bundle.manifest.ulp)
    before, damaged = _broke_before(bundle)
    for why in damaged:
        yield Check.failure(CheckKind.CONTRACT, tested.subject, f"what broke a promise earlier: {why}")
    for promised in promises:
        if not promised.outputs:
            continue  # about weights
        subject = replace(tested.subject, output=promised.outputs[0], contract=promised.kind)
        if bundle.manifest.stateful:
            why = "the model keeps state between calls: what it gives is no function of its inputs"
            yield Check.not_run(CheckKind.CONTRACT, subject, why)
            continue
        try:
            contract = known(promised, tested.trust)
        except UsageError as error:
            hint = "name the file or module that registers it with --import"
            yield Check.not_run(CheckKind.CONTRACT, subject, error.subject, hint)
            continue
        if isinstance(contract, WeightContract):
            continue
        subject = replace(subject, contract=kinds.text(contract))
        try:
            first = [probe for about_it, probe in before if counterexamples.same(about_it, promised)]
            tried = Effort(effort.samples, effort.seconds, effort.seed, first)
            function = Function(session, space, promised.inputs, promised.outputs)
            verdict = contract.check(function, space, slack, tried)
        except KexportError as error:
            yield Check.failure(CheckKind.CONTRACT, subject, str(error))
        except Exception as error:  # noqa: BLE001  a runtime may raise anything; here it becomes a failed check
            yield Check.failure(CheckKind.CONTRACT, subject, reason(error))
        else:
            kept = _kept(bundle, promised, verdict.broken_by)
            yield _check_of(verdict, contract, promised, subject, kept)


def notes(promises: Sequence[ContractEntry]) -> list[str]:
    """What a report says of promises that no runtime can be asked for."""
    return [
        f"{_written(promised)} of layer {promised.layer} is about weights: checked when the bundle was built"
        for promised in promises
        if not promised.outputs
    ]


def _written(promised: ContractEntry) -> str:
    """The promise as text, its kind known here or not."""
    return f"{promised.kind}(" + ", ".join(f"{name}={value!r}" for name, value in promised.params.items()) + ")"


def known(promised: ContractEntry, trust: Trust) -> Contract | WeightContract:
    """The contract of an entry of the manifest; the code that a user named is run when its kind is not known without.

    Raises:
        UsageError: its kind is not known here, or does not take the parameters.
    """
    if promised.kind not in kinds.names():
        trust.run_imports()
    return kinds.contract_of(promised)


def _broke_before(bundle: Bundle) -> tuple[list[tuple[ContractEntry, Population]], list[str]]:
    """What broke contracts earlier, and what is wrong with the files of it that cannot be read."""
    found, damaged = [], []
    for path in counterexamples.paths(bundle.path):
        try:
            about, probe = counterexamples.read(bundle.path / path, bundle.signature)
        except KexportError as error:
            damaged.append(str(error))
        else:
            found.append((about, dict(probe)))
    return found, damaged


def _kept(bundle: Bundle, promised: ContractEntry, probe: Population | None) -> str:
    """Where the input that broke the contract lies now, in words; empty when there is none."""
    if probe is None:
        return ""
    try:
        return f"the input is in {counterexamples.store(bundle.path, promised, probe)}"
    except OSError as error:
        return f"the input could not be kept in the bundle: {error.strerror or error}"


def _values(probe: Population) -> str:
    """The numbers of a small probe, `x = [0.5, -1]`; empty when there are many."""
    if sum(values.size for values in probe.values()) > _FEW:
        return ""
    return ", ".join(f"{name} = {_number(values[0].tolist(), values.dtype)}" for name, values in probe.items())


def _number(value: Any, dtype: np.dtype[Any]) -> str:
    """A number as short as its type allows, and lists of them."""
    if isinstance(value, list):
        return "[" + ", ".join(_number(each, dtype) for each in value) + "]"
    return str(dtype.type(value)).removesuffix(".0")


def _check_of(verdict: Verdict, contract: Contract, promised: ContractEntry, subject: Subject, kept: str) -> Check:
    who = f"layer {promised.layer} promised" if promised.layer else "promised at the build"
    broken = "" if verdict.passed or not verdict.ran else f"{who} that it {contract.words()}"
    values = "" if verdict.broken_by is None else _values(verdict.broken_by)
    figure = verdict.figure if verdict.figure is not None and math.isfinite(verdict.figure) else None
    limit = verdict.limit if verdict.limit is not None and math.isfinite(verdict.limit) else None
    infinite = "the figure is infinite, or no number" if verdict.figure is not None and figure is None else ""
    return Check(
        CheckKind.CONTRACT,
        verdict.passed,
        subject,
        Measurement(figure, limit, verdict.unit),
        tuple(text for text in (broken, infinite, *verdict.facts, values, kept) if text),
        verdict.ran,
        {**verdict.metrics, "tried": verdict.tried},
    )
