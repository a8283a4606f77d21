"""The comparison of two models output by output: on goldens or planned inputs, then by a search for the worst input."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kexport import progress
from kexport.bundle.facts import FactCode
from kexport.bundle.report import Check, CheckKind
from kexport.field.comparison.case_differences import CaseDifferences
from kexport.field.comparison.farther import difference, looks
from kexport.field.comparison.file_differences import differing_parts, without_unseen
from kexport.field.comparison.inputs import comparison_inputs
from kexport.field.comparison.limits import Shapes, derive_limits, ulp_of
from kexport.field.comparison.operands import Operand, bare, same_bytes
from kexport.field.comparison.record import ComparisonRecord
from kexport.field.comparison.replay import ArtifactPair, replay
from kexport.field.comparison.shared_interface import SharedInterface
from kexport.field.comparison.worst_input import keep
from kexport.field.remote import RemoteSession
from kexport.field.search import Terms, loop
from kexport.field.search import checks as search_checks
from kexport.field.search.target import SearchTarget
from kexport.parity.budget import Clock
from kexport.parity.space import Space
from kexport.parity.strictness import Strictness


class PairComparison:
    """The comparison of two operands that share an interface, in every pair of sessions.

    Args:
        operands: A and B.
        shared: their interface.
        sessions: pairs of A and B, by the names of the interface.
        record: takes checks and notes.
    """

    def __init__(
        self,
        operands: tuple[Operand, Operand],
        shared: SharedInterface,
        sessions: Sequence[tuple[RemoteSession, RemoteSession]],
        record: ComparisonRecord,
    ) -> None:
        self._operands, self._shared, self._sessions, self._record = operands, shared, sessions, record
        self._stateful = any(operand.stateful for operand in operands)

    def run(self, strictness: Strictness, path: Path | None) -> None:
        """Compare each pair on the goldens or planned inputs, then search for the worst input.

        Args:
            strictness: how long to search, and declared limits.
            path: where to write the worst input, if anywhere.
        """
        budget = strictness.search
        assert budget is not None
        pairs, shapes = self._pairs(strictness)
        cases = len(shapes)
        compared: list[ArtifactPair] = []
        targets: list[SearchTarget] = []
        identical = True
        for index, pair in enumerate(pairs):
            target = pair.target(budget.seed + index)
            inputs = comparison_inputs(self._operands, self._shared, (pair.a, pair.b))
            differences = CaseDifferences(pair.terms.limits)
            checks = list(replay(pair, inputs, None if self._stateful else target, differences))
            if self._differing_files and all(check.states(FactCode.IDENTICAL) for check in checks):
                checks, farther = self._farther(pair, shapes, strictness, checks, differences)
                cases += farther
            checks = self._telling(checks, differences)
            self._record.add(*checks)
            identical &= all(check.states(FactCode.IDENTICAL) for check in checks)
            if all(check.kind is CheckKind.PARITY for check in checks):
                compared.append(pair)
                targets.append(target)
        if self._stateful:
            self._record.note(
                ["no search: the model keeps state between calls, so inputs do not determine its outputs"]
            )
        elif targets and self._shared.signature.inputs:
            self._search(compared, targets, Clock(budget), path)
        if identical and len(targets) in (0, len(pairs)):
            self._note_identity(targets, cases)

    @functools.cached_property
    def _differing_files(self) -> bool:
        """Whether both are bare files, whose inputs are not known to tell, and not the same bytes."""
        return bare(self._operands) and not same_bytes(self._operands)

    def _telling(self, checks: list[Check], differences: CaseDifferences) -> list[Check]:
        """The checks of a replay, without a pass for an output in which no difference could have been seen."""
        unvaried = differences.unvaried()
        # The goldens of a bundle are known to tell. Large files are not read again where nothing depends on it.
        if unvaried and self._differing_files:
            return differences.without_unvaried(checks)
        self._record.note(unvaried.values())
        return checks

    def _farther(
        self,
        pair: ArtifactPair,
        shapes: Sequence[Shapes],
        strictness: Strictness,
        checks: list[Check],
        seen: CaseDifferences,
    ) -> tuple[list[Check], int]:
        """The checks of a pair that was identical, or of a farther look where it differs; and how many cases agreed."""
        progress.step("identical so far: trying inputs of other kinds and scales")
        planned = looks(self._shared, shapes, stateful=self._stateful)
        found, agreed = difference((pair.a, pair.b), planned, seen)
        if found is None:
            # Where a person says what the inputs are, those tried are like them, and nothing else counts.
            names, sessions = self._shared.a.outputs, (pair.a, pair.b)
            parts = differing_parts(self._operands, sessions, names) if self._shared.undeclared else {}
            return without_unseen(seen.without_unvaried(checks), parts, agreed), agreed
        shared = replace(self._shared, domains=found.look.domains)
        derived = derive_limits(
            self._operands, shared, [(pair.a, pair.b)], found.look.cases(found.passages), strictness
        )
        space = Space(shared.signature, shared.domains, derived.shapes)
        farther = ArtifactPair(pair.a, pair.b, replace(pair.terms, space=space, limits=derived.pairs[0]))
        cases = found.look.cases(found.passages)
        return list(replay(farther, cases, None, CaseDifferences(derived.pairs[0]))), agreed

    def _pairs(self, strictness: Strictness) -> tuple[list[ArtifactPair], Sequence[Shapes]]:
        """The pairs of artifacts with the terms of their comparison, and the shapes of inputs of each case."""
        shared = self._shared
        cases = comparison_inputs(self._operands, shared, self._sessions[0])
        derived = derive_limits(self._operands, shared, self._sessions, cases, strictness)
        self._record.note(derived.notes)
        space = Space(shared.signature, shared.domains, derived.shapes)
        ulp = ulp_of(self._operands, shared.signature)
        pairs = [
            ArtifactPair(a, b, Terms(shared.signature, space, limits, ulp))
            for (a, b), limits in zip(self._sessions, derived.pairs, strict=True)
        ]
        return pairs, derived.shapes

    def _search(
        self, pairs: Sequence[ArtifactPair], targets: Sequence[SearchTarget], clock: Clock, path: Path | None
    ) -> None:
        progress.step(f"searching for the worst input: {clock.budget}")
        loop.run(targets, clock)
        self._record.note([*clock.interruption, *keep(targets, path)])
        for pair, target in zip(pairs, targets, strict=True):
            check = search_checks.check(pair.b, [target], [target] if target.failed else [], clock)
            metrics = {**check.metrics, **pair.metrics}
            self._record.add(replace(check.in_runtime(pair.runtimes), metrics=metrics))

    def _note_identity(self, targets: Sequence[SearchTarget], cases: int) -> None:
        """Note that nothing differs, if the search has seen no difference either."""
        states = [target.state for target in targets]
        if all(state.worst == 0 and not state.suspects and not state.failure for state in states):
            tried = sum(state.evaluations for state in states)
            title = self._sessions[0][1].title
            of = f"{title}: " if title else ""
            text = f"{of}identical: no element of any output differs, in {cases} cases and {tried} searched inputs"
            self._record.note([text])
