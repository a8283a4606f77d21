"""Finds the interface that two models share, or why they share none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from kexport.bundle.composite_inputs import WAY_OUT, composite_parts
from kexport.bundle.declared_domain import default_for
from kexport.bundle.domain import Domain, brief
from kexport.bundle.report import Check, CheckKind, Subject
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import ModelError
from kexport.field.comparison.accepted_integers import accepted_integers
from kexport.field.comparison.inputs import comparison_inputs
from kexport.field.comparison.known_keys import known_keys
from kexport.field.comparison.operands import Operand
from kexport.field.comparison.record import ComparisonRecord
from kexport.field.comparison.shared_interface import (
    InterfaceOptions,
    SharedInterface,
    domains_of,
    observed_outputs,
)
from kexport.field.comparison.tensor_pairs import (
    TensorPair,
    batch_first,
    batch_symbol,
    paired,
    require_names,
    unnamed_batch_first,
)
from kexport.field.remote import Outputs, RemoteSession, RuntimeFailedError
from kexport.parity import listed_values
from kexport.parity.smallest_call import require_affordable
from kexport.parity.table_rows import TableCells, TableKeys, TableRows

_PROBES = 2  # calls that show the dtypes and shapes of outputs
_TRIED_LENGTHS = (7, 224)


class _Tried(NamedTuple):
    """Inputs that both models take, with what is known of them, and the outputs of each."""

    inputs: list[TensorPair]
    known: Mapping[str, Domain]
    domains: dict[str, Domain]
    specs: list[Sequence[TensorSpec]]


@dataclass(frozen=True)
class Agreement:
    """Two operands, sessions of both, and what a user says about their interface."""

    operands: tuple[Operand, Operand]
    sessions: tuple[RemoteSession, RemoteSession]
    options: InterfaceOptions

    def reach(self, subject: Subject, record: ComparisonRecord) -> SharedInterface | None:
        """The shared interface, None when there is none; records the check of the signatures, or why it failed.

        Raises:
            UsageError: an input or output has no partner, or an option cannot be read.
            InputError: the recorded samples cannot be read.
        """
        a, b = self.sessions
        if not (a.signature.outputs or b.signature.outputs):
            return None  # none is a tensor, which is told of each
        inputs, notes = paired("input", a.signature.inputs, b.signature.inputs, self.options.names)
        record.note(notes)
        if problems := [pair.problem for pair in inputs if pair.problem]:
            record.add(Check.failure(CheckKind.SIGNATURE, subject, *problems))
            return None
        symbol = batch_symbol(a.signature.inputs)
        inputs = batch_first(inputs, symbol, a.signature.inputs)
        try:
            inputs, known, domains, specs = self._with_samples(inputs, record, guessing=not symbol)
        except RuntimeFailedError as error:
            record.add(self._refused(error, inputs, subject))
            return None
        except ModelError as error:
            record.add(Check.not_run(CheckKind.RUNTIME, subject, str(error)))
            return None
        outputs, notes = self._output_pairs(*specs)
        record.note(notes)
        outputs = batch_first(outputs, symbol, a.signature.outputs)
        if not symbol and any(pair.axis for pair in inputs):
            outputs = unnamed_batch_first(outputs) or outputs
        problems = [pair.problem for pair in outputs if pair.problem]
        record.add(Check(CheckKind.SIGNATURE, not problems, subject, facts=tuple(problems)))
        outputs = [pair for pair in outputs if not pair.problem]
        shared = SharedInterface.of(inputs, outputs, domains)
        return replace(shared, undeclared=frozenset(shared.domains.keys() - known.keys())) if outputs else None

    def _refused(self, error: RuntimeFailedError, inputs: Sequence[TensorPair], subject: Subject) -> Check:
        """The check of models of which one refuses every input that was tried."""
        if error.remote is not None and error.remote.runtime.lacking(str(error)):
            return Check.not_run(CheckKind.RUNTIME, subject, str(error))
        a, _ = self.operands
        stated = self.options.samples is not None or {pair.a.name for pair in inputs} <= {*self.options.domains}
        if a.bundle is not None or stated or error.remote is not self.sessions[0]:
            return Check.failure(CheckKind.RUNTIME, subject, str(error))
        # Nothing says that a bare file should take what was tried.
        parts = composite_parts([pair.a for pair in inputs])
        hint = f"{parts}; {WAY_OUT}" if parts else "give inputs that it takes, by --samples or --domain"
        return Check.not_run(CheckKind.RUNTIME, subject, str(error), f"none of the inputs tried suits it: {hint}")

    def _with_samples(self, inputs: list[TensorPair], record: ComparisonRecord, *, guessing: bool) -> _Tried:
        """The inputs with the axis that counts their samples first, their domains, and the outputs of both models.

        Args:
            inputs: the pairs.
            record: takes notes.
            guessing: whether a later axis may count samples, where the model takes no length otherwise.

        Raises:
            ModelError: as `_probe`.
            RuntimeFailedError: as `_probe`.
        """
        guessed = unnamed_batch_first(inputs) if guessing else []
        if guessed and not self._takes_two(inputs) and self._takes_two(guessed):
            inputs = guessed
        for pairs in (inputs, guessed):
            known, notes = domains_of(pairs, self.operands, self.options)
            try:
                domains, more = self._all_domains(pairs, known)
                specs = self._output_specs(SharedInterface.of(pairs, (), domains))
            except ModelError:
                if pairs is guessed or not guessed:
                    raise
                continue
            record.note(
                f"axis {p.axis} of input {p.a.name} counts the samples; it comes first here" for p in pairs if p.axis
            )
            record.note([*notes, *more])
            return _Tried(pairs, known, domains, specs)
        raise AssertionError("the last of them returns or raises")

    def _takes_two(self, pairs: list[TensorPair]) -> bool:
        """Whether both models take two samples, short or long ones, drawn from the default domains."""
        shared, rng = SharedInterface.of(pairs, (), {}), np.random.default_rng(0)
        require_affordable(shared.signature, self.options.max_bytes)
        for length in _TRIED_LENGTHS:
            feeds = {}
            for spec in shared.signature.inputs:
                shape = tuple((length if axis else 2) if size is None else size for axis, size in enumerate(spec.shape))
                feeds[spec.name] = np.asarray(default_for(spec).sample(rng, shape)).astype(spec.numpy_dtype)
            try:
                for session in shared.inputs_renamed(*self.sessions):
                    session.run([feeds])
            except RuntimeFailedError:
                continue
            return True
        return False

    def _all_domains(
        self, inputs: Sequence[TensorPair], known: Mapping[str, Domain]
    ) -> tuple[dict[str, Domain], list[str]]:
        """Those that are known and, with notes, what both models take of integers, and defaults.

        Raises:
            ModelError: as `_probe`.
            RuntimeFailedError: as `_probe`.
        """
        unknown = [pair.common for pair in inputs if pair.a.name not in known]
        domains = {pair.a.name: known.get(pair.a.name) or default_for(pair.common) for pair in inputs}
        names = {p.a.name: p.a.name for p in inputs}, {p.b.name: p.a.name for p in inputs}
        met = known_keys(self.operands, names, unknown)
        taken: dict[str, TableRows | TableCells] = {}
        if any(spec.numpy_dtype.kind in "iuf" for spec in unknown):
            shared = SharedInterface.of(inputs, (), domains)
            require_affordable(shared.signature, self.options.max_bytes)
            (feeds, _), *_ = self._probe(0, shared)
            taken = accepted_integers(shared.inputs_renamed(*self.sessions), feeds, unknown)
        found: dict[str, Domain] = {**met, **taken}
        notes = []
        for spec in unknown:
            domain = {**domains, **found}[spec.name]
            why = "is what both take" if spec.name in taken else "is what the files compare it with"
            words = f"{brief(str(domain))} {why if spec.name in found else 'is the default'}"
            if isinstance(domain, TableRows | TableCells | TableKeys) and not domain.are_all_tried:
                words += "; these are too many to try each, and a difference in one may go unseen (--samples, --search)"
            notes.append(f"input {spec.name} has no declared domain: {words}")
        indices = [spec for spec in unknown if spec.name in taken]
        if len(indices) > 1 and not listed_values.meet_all(indices, taken):
            listed = ", ".join(spec.name for spec in indices)
            notes.append(
                f"not every combination of rows is tried, of inputs {listed}: cells of one table may go unseen"
            )
        return {**domains, **found}, notes

    def _output_pairs(
        self, ours: Sequence[TensorSpec], theirs: Sequence[TensorSpec]
    ) -> tuple[list[TensorPair], list[str]]:
        a, b = self.sessions
        require_names(self.options.names, [*a.signature.inputs, *ours], [*b.signature.inputs, *theirs])
        return paired("output", ours, theirs, self.options.names)

    def _output_specs(self, inputs: SharedInterface) -> list[Sequence[TensorSpec]]:
        """The outputs of each operand; those of a bare artifact are observed, since it states no shapes of them.

        Raises:
            ModelError: both refuse every input, or the smallest takes too much memory.
            RuntimeFailedError: one of them refuses every input.
        """
        require_affordable(inputs.signature, self.options.max_bytes)
        specs: list[Sequence[TensorSpec]] = []
        for index, (operand, session) in enumerate(zip(self.operands, self.sessions, strict=True)):
            outputs: Sequence[TensorSpec] = session.signature.outputs
            if operand.bundle is None:
                outputs = observed_outputs([spec.name for spec in outputs], self._probe(index, inputs))
            specs.append(outputs)
        return specs

    def _probe(self, index: int, inputs: SharedInterface) -> list[tuple[Mapping[str, Array], Outputs]]:
        """A few inputs that an operand takes, and its outputs by its own names."""
        sessions = inputs.inputs_renamed(*self.sessions)
        calls: list[tuple[Mapping[str, Array], Outputs]] = []
        refusal: RuntimeFailedError | None = None
        for label, feeds in comparison_inputs(self.operands, inputs, sessions):
            try:
                calls.append((feeds, sessions[index].run([feeds])[0]))
            except RuntimeFailedError as error:
                session = self.sessions[index]
                refusal = RuntimeFailedError(f"{session.label} fails on {label}: {error}", session)
            if len(calls) == _PROBES:
                break
        if refusal is not None and not calls:
            raise refusal
        return calls
