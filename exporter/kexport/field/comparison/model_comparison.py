"""Comparing any two models, bundles or bare artifacts of any format; A is the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kexport.bundle.report import Check, CheckKind, Observer, Report, Subject
from kexport.field.comparison.agreement import Agreement
from kexport.field.comparison.metric_gate import MetricGate
from kexport.field.comparison.operands import Operand, bare, contenders, same_bytes
from kexport.field.comparison.pair_comparison import PairComparison
from kexport.field.comparison.real_numbers import in_real_numbers
from kexport.field.comparison.record import ComparisonRecord
from kexport.field.comparison.replay import runtimes_of
from kexport.field.comparison.sessions import Sessions
from kexport.field.comparison.shared_functions import SharedFunctions
from kexport.field.comparison.shared_interface import InterfaceOptions
from kexport.field.comparison.worst_input import require_writable
from kexport.field.integrity import check_digests
from kexport.field.remote import RemoteSession
from kexport.field.trust import Trust
from kexport.field.workers import unconfined
from kexport.parity.budget import DEFAULT_SEARCH, Budget
from kexport.parity.strictness import Strictness
from kexport.parity.tolerance import Tolerance
from kexport.python_call import public
from kexport.runtimes import get as get_runtime


@public("observe")
def compare(
    a: str | Path,
    b: str | Path,
    runtimes: Sequence[str] | None = None,
    *,
    names: Mapping[str, str] | None = None,
    domain: Mapping[str, object] | None = None,
    samples: str | Path | None = None,
    signature: str | None = None,
    search: Budget | str = DEFAULT_SEARCH,
    tolerance: Mapping[str, Tolerance | str | float] | None = None,
    witness: str | Path | None = None,
    labels: object = None,
    metric: str | Callable[..., object] | None = None,
    max_drop: float | None = None,
    imports: Sequence[str] = (),
    allow_lambda: bool = False,
    trust: bool = False,
    max_seconds: float | None = None,
    max_bytes: int = 0,
    observe: Observer = lambda check: None,
) -> Report:
    """Compare two models: whether B computes what A does, on goldens, or on inputs planned like them.

    Args:
        a: the reference: a bundle, a SavedModel, or a `.onnx`, `.tflite` or `.keras` file.
        b: likewise, in the same format or another.
        runtimes: names of the runtimes. By default two bundles are compared in every one that is installed and reads
            an artifact of both, and anything else in the best one for each.
        names: inputs and outputs of B by those of A, where they differ.
        domain: the domains of inputs, by the names of A; by default those of a bundle, or else a default that a note
            states.
        samples: a `.npz`, `.npy` or `.csv` file with recorded inputs.
        signature: the one to compare, of files that hold several; by default those of equal names are.
        search: how long to search for the input on which they differ most: `"30s"`, or `"5000"` evaluations, or
            `"5000,1m"` for what ends first.
        tolerance: limits of outputs in place of the derived ones.
        witness: a `.npz` file for the worst input.
        labels: of the samples, as `kexport.build` takes them.
        metric: of the labelled samples, as `kexport.build` takes it. The models are then compared by it alone.
        max_drop: how much worse B may be by it, 0 by default: in percentage points for accuracy, top5 and f1, else in
            the unit of the metric.
        imports: files or modules that register the layers of a `.keras` file.
        allow_lambda: load Lambda layers of a `.keras` file.
        trust: let a SavedModel run any operation, such as one that writes files; and run without limits.
        max_seconds: seconds of each processor core for one call, where that is more than follows from the model's size.
        max_bytes: allow files, and arrays and weights in them, that are larger than usual, up to this size.
        observe: called with each check as soon as it is made.

    Returns:
        Every check; figures are distances of B from A.

    Raises:
        BundleError: one of them cannot be read.
        UncheckedError: a runtime that is needed is not installed.
        UsageError: inputs or outputs have no partner, or an argument cannot be read.

    Example:
        >>> import kexport
        >>> kexport.compare("old/model.onnx", "new/model.tflite").passed  # doctest: +SKIP
        True
    """
    request = ComparisonRequest(
        Path(a),
        Path(b),
        tuple(runtimes or ()),
        InterfaceOptions(names or {}, domain or {}, samples, signature, max_bytes),
        Trust(tuple(imports), allow_lambda, unrestricted=trust, seconds=max_seconds, max_bytes=max_bytes),
        Strictness.of(search, tolerance),
        None if witness is None else Path(witness),
    )
    return compare_models(request, observe, MetricGate.of(metric, labels, max_drop))


@dataclass(frozen=True)
class ComparisonRequest:
    """What to compare, and how; the arguments of `compare`, grouped.

    Attributes:
        a: the reference: a bundle or an artifact.
        b: the other model, likewise.
        runtimes: names of those to take; empty for the default.
        interface: what a user says about inputs and outputs.
        trust: the user code that may run while a `.keras` file is loaded.
        strictness: how long to search, and declared limits.
        witness: a `.npz` file for the worst input.
    """

    a: Path
    b: Path
    runtimes: tuple[str, ...]
    interface: InterfaceOptions
    trust: Trust
    strictness: Strictness
    witness: Path | None = None

    @property
    def title(self) -> str:
        """The title of the report."""
        return f"{self.b.name} against {self.a.name}" if self.a.name != self.b.name else f"{self.b} against {self.a}"


def compare_models(
    request: ComparisonRequest, observe: Observer = lambda check: None, gate: MetricGate | None = None
) -> Report:
    """Run the comparison, as documented in `compare`; by a metric alone where there is a gate."""
    request.trust.require_imports()
    if gate is not None:
        gate, interface = gate.prepared(request.interface, request.strictness, request.witness)
        request = replace(request, interface=interface)
    wanted = [get_runtime(name) for name in dict.fromkeys(request.runtimes)] if request.runtimes else None
    if request.witness is not None:
        require_writable(request.witness)
    most = request.trust.max_bytes
    operands = Operand.open("A", request.a, most), Operand.open("B", request.b, most)
    candidates, notes = contenders(*operands, wanted)
    record = ComparisonRecord(observe, notes=[*notes])
    if _intact(operands, record):
        with Sessions(request.trust) as sessions:
            ours, theirs = (sessions.declared(each) for each in candidates[0])
            functions = SharedFunctions.of(ours, theirs, request.interface.signature)
            subject = Subject(candidates[0][1].artifact, runtimes_of(*candidates[0]))
            record.add(*(Check.failure(CheckKind.SIGNATURE, subject, fact) for fact in functions.missing))
            record.note(functions.notes)
            for declared in functions.pairs:
                function, converted = in_real_numbers(*declared, request.interface.names)
                record.note(converted)
                pairs = []
                for candidate in candidates:
                    one, other = (
                        sessions.open(each, signature, f"{each.artifact}:{signature.name}" * functions.several)
                        for each, signature in zip(candidate, (one.signature for one in function), strict=True)
                    )
                    pairs.append((one, other))
                # The limits of a bare artifact come from its noise in one runtime, so each pair is compared by itself.
                noisy = any(operand.bundle is None for operand in operands)
                for group in [[pair] for pair in pairs] if noisy else [pairs]:
                    _compare(operands, group, request, record, gate)
                foreign = {**function[0].foreign, **function[1].foreign}
                record.add(*(_not_compared(pairs[0], *each) for each in foreign.items()))
            record.note(unconfined() if not request.trust.unrestricted else [])
    return record.report(request.title)


def _not_compared(sessions: tuple[RemoteSession, RemoteSession], output: str, kind: str) -> Check:
    """The check of an output that is no tensor."""
    subject = Subject(sessions[1].artifact, runtimes_of(*sessions), output)
    why = f"it is no tensor of a type that NumPy has, which is what can be compared: {kind}"
    return Check.not_run(CheckKind.PARITY, subject, why)


def _compare(
    operands: tuple[Operand, Operand],
    pairs: Sequence[tuple[RemoteSession, RemoteSession]],
    request: ComparisonRequest,
    record: ComparisonRecord,
    gate: MetricGate | None,
) -> None:
    """Compare one function of A with one of B, in every pair of runtimes."""
    agreement = Agreement(operands, pairs[0], request.interface)
    shared = agreement.reach(Subject(pairs[0][1].artifact, runtimes_of(*pairs[0])), record)
    if shared is not None:
        renamed = [shared.renamed(*pair) for pair in pairs]
        if gate is None:
            PairComparison(operands, shared, renamed, record).run(request.strictness, request.witness)
        else:
            record.add(*gate.checks(shared, renamed, stateful=any(each.stateful for each in operands)))
    both = [session for pair in pairs for session in pair]
    record.note(dict.fromkeys(f"{each.label}: {text}" for each in both for text in each.differences))


def _intact(operands: tuple[Operand, Operand], record: ComparisonRecord) -> bool:
    """Whether goldens and artifacts of the bundles are those that were built; records the checks of that."""
    intact = True
    for operand in operands:
        for check in () if operand.bundle is None else check_digests(operand.bundle).checks:
            name = operand.name
            facts = (f"{name}: {check.facts[0]}", *check.facts[1:]) if check.facts else (f"of {name}",)
            record.add(replace(check, facts=facts))
            intact &= check.passed
    if bare(operands) and same_bytes(operands):
        record.note(["A and B are the same bytes"])
    return intact
