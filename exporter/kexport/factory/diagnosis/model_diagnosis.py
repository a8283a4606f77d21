"""The model judged in Keras, before any format: is it a function, of each sample alone, and the same when traced?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import numpy as np

from kexport.bundle.domain import Domain
from kexport.bundle.report import Check, CheckKind, Subject
from kexport.bundle.signature import Array
from kexport.errors import located
from kexport.factory.corrections import all_active
from kexport.factory.diagnosis import causes, remarks
from kexport.factory.diagnosis.comparisons import SampleRows, alike
from kexport.factory.diagnosis.graph_repeats import another_result
from kexport.factory.diagnosis.judges import Judge, Key, SameAlone, SameTraced, same_again, same_unfrozen
from kexport.factory.diagnosis.model_calls import ModelCalls, ModelRun
from kexport.factory.diagnosis.replays import Replay
from kexport.factory.localisation.layer_calls import Call, observing
from kexport.factory.trace.explanation import Cause
from kexport.factory.trace.program import Program
from kexport.parity import golden_inputs
from kexport.runtimes.keras_model import to_array

_BATCH = 3  # of the samples that are judged
_ATTEMPTS = 4  # further calls of a small model with layers of the user
_FURTHER = 2  # further goldens that a small model is traced on
_SMALL = 1_000_000  # weights
_MOST_JUDGED = 200  # calls of Keras' own layers that are judged where no user's layer is at fault

_PASSED = "repeatable, and the same when traced"
_ALONE = "repeatable, the same in a batch and alone, and the same when traced"
_OTHER_RESULT = "the traced model gives another result than an eager call"
_UNNAMED = "no single layer shows it"


@dataclass(frozen=True)
class Diagnosis:
    """What was found of the model itself.

    Attributes:
        checks: one that passed, or those that failed.
        notes: for the report.
    """

    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()


def diagnose(program: Program, domains: Mapping[str, Domain]) -> Diagnosis:
    """Judge a model on one or two small goldens.

    Args:
        program: the traced model.
        domains: of its inputs.

    Raises:
        ModelError: the model fails on its own domain.
    """
    if program.served:
        failed = another_result(program, domains)
        return Diagnosis((failed,) if failed else ())
    return _Diagnosis(program, domains).result()


class _Diagnosis:
    def __init__(self, program: Program, domains: Mapping[str, Domain]) -> None:
        self._program = program
        self._model: Any = program.model
        self._domains = domains
        self._calls = ModelCalls(program, domains)
        self._weights = sum(int(each.size) for each in program.model.get_weights())

    def result(self) -> Diagnosis:
        samples, further = self._samples()
        whole = self._calls.run(samples)
        notes = remarks.of(self._program, whole.calls, whole.outputs)
        for _ in range(self._attempts(whole)):
            again = self._calls.run(samples)
            if len(again.outputs) != len(whole.outputs) or not all(map(alike, whole.outputs, again.outputs)):
                found = self._found(whole, same_again)
                if not found or self._is_unnamed(found, whole.calls[-1]):
                    found = self._first_differing(whole, again) or found
                return Diagnosis(self._failures("a second call on the same input gives another result", found), notes)
        if found := self._found(whole, same_unfrozen):
            return Diagnosis(self._failures("a tf.function keeps what Python computed in its first call", found), notes)
        batched = self._batched(samples)
        parts = self._parts(samples) if batched else []
        runs = [(rows, self._calls.run(rows_of(samples, rows))) for rows in parts]
        if checks := self._traced([whole, *(run for _, run in runs)], further):
            return Diagnosis(checks, notes)
        mixing = tuple(self._neighbours(whole, runs))
        passed = _ALONE if batched and not mixing else _PASSED
        return Diagnosis((Check.success(CheckKind.MODEL, Subject(), passed),), (*notes, *mixing))

    def _attempts(self, whole: ModelRun) -> int:
        """How often to call the model again: a draw of few values in the user's code may be the same by chance."""
        return _ATTEMPTS if self._weights <= _SMALL and any(self._replay(call).users for call in whole.calls) else 1

    def _samples(self) -> tuple[list[Array], list[list[Array]]]:
        """The inputs that are judged, with at most a few samples where the batch is free; and further ones."""
        signature = self._program.signature
        planned = golden_inputs.plan(signature, self._domains, self._refusal)
        cases = [[feeds[spec.name] for spec in signature.inputs] for _, feeds in islice(planned, 3 + _FURTHER)]
        several = next((case for case in cases if all(len(each) >= _BATCH for each in case if each.ndim)), cases[0])
        small = self._weights <= _SMALL
        samples = rows_of(several, SampleRows(0, _BATCH, len(several[0]))) if self._batched(several) else several
        return samples, [case for case in cases if case is not several] if small else []

    def _refusal(self, feeds: golden_inputs.Feeds) -> str | None:
        try:
            self._calls.eager([feeds[spec.name] for spec in self._program.signature.inputs])
        except Exception as error:  # noqa: BLE001  the model's own code may raise anything
            return located(error)
        return None

    def _batched(self, samples: Sequence[Array]) -> bool:
        """Whether the first axis of every input counts samples, of which each has a result of its own."""
        specs = self._program.signature.inputs
        free = all(spec.shape and spec.shape[0] is None for spec in specs)
        sizes = {len(array) for array in samples if array.ndim}
        return free and len(sizes) == 1 and sizes != {1}

    def _parts(self, samples: Sequence[Array]) -> list[SampleRows]:
        """The last sample, and for a small model all others: what adds up along the batch shows in one of them."""
        size = len(samples[0])
        parts = [SampleRows(size - 1, size, size), SampleRows(0, size - 1, size)]
        return parts if self._weights <= _SMALL else parts[:1]

    def _neighbours(self, whole: ModelRun, runs: Sequence[tuple[SampleRows, ModelRun]]) -> Iterator[str]:
        """Notes on layers that mix the samples of a batch."""
        for rows, run in runs:
            pairs = zip(whole.outputs, run.outputs, strict=True)
            fitting = [(rows.of(one, other.shape), other) for one, other in pairs if not rows.counts(one, other)]
            if all(part is None or alike(part, other) for part, other in fitting):
                continue
            shapes = {call.site.key: [t.shape for t in self._replay(call).arguments.tensors] for call in run.calls}
            found = self._found(whole, SameAlone(rows, shapes))
            if found:
                yield from (f"{_said(who, cause)}: the artifacts do so too" for who, cause in found)
                return

    def _traced(self, runs: Sequence[ModelRun], further: Sequence[list[Array]]) -> tuple[Check, ...]:
        """Failed checks if the traced function gives something else than an eager call."""
        for run in chain(runs, map(self._calls.run, further)):
            if (why := self._differs_traced(run.arrays, run.outputs)) is not None:
                return self._unless_ill_conditioned(why, run)
        return ()

    def _unless_ill_conditioned(self, why: str, run: ModelRun) -> tuple[Check, ...]:
        """The failed checks; none where no layer, and not the model as a whole, differs by more than its own noise."""
        found = self._found(run, self._same_traced())
        if not found and why == _OTHER_RESULT:
            itself = self._replay(run.calls[-1])
            noise = itself.noise(itself.arguments, run.outputs)
            if all(map(alike, run.outputs, self._calls.core(run.arrays), noise)):
                return ()
        return self._failures(why, found or self._keeping(run))

    def _keeping(self, run: ModelRun) -> list[tuple[str, Cause]]:
        """The first layer whose code keeps what it computed in a call."""
        for call in run.calls:
            if cause := causes.of_keeping(self._replay(call).kinds):
                return [(self._words(call), cause)]
        return []

    def _is_unnamed(self, found: Sequence[tuple[str, Cause]], itself: Call) -> bool:
        """Whether only the model as a whole was found, which has no code of the user's."""
        return [who for who, _ in found] == [self._words(itself)] and not self._replay(itself).users

    def _first_differing(self, one: ModelRun, other: ModelRun) -> list[tuple[str, Cause]]:
        """The first call whose results differ between two runs of the model."""
        for a, b in zip(one.calls, other.calls, strict=False):
            if a.site.key != b.site.key or not all(map(alike, map(to_array, a.outputs), map(to_array, b.outputs))):
                kinds = self._replay(a).kinds
                return [(self._words(a), causes.of_keeping(kinds) or causes.of_changing(None, (), kinds, seeded=False))]
        return []

    def _differs_traced(self, arrays: Sequence[Array], eager: Sequence[Array]) -> str | None:
        try:
            traced = self._calls.core(arrays)
        except Exception as error:  # noqa: BLE001  the model's own code may raise anything
            return f"the traced model fails where an eager call does not: {located(error)}"
        if len(eager) == len(traced) and all(map(alike, eager, traced)):
            return None
        same_shapes = [each.shape for each in eager] == [each.shape for each in traced]
        return _OTHER_RESULT if same_shapes else "the traced model gives a result of another shape than an eager call"

    def _same_traced(self) -> SameTraced:
        """The judge of tracing, which knows the shapes of arguments in a trace of the model."""
        with all_active(), observing() as runs:
            self._program.interface.concrete(self._model)
        shapes: dict[Key, list[Any]] = {}
        for call in runs[-1]:
            shapes[call.site.key] = [tensor.shape for tensor in self._replay(call).arguments.tensors]
        specs = self._program.signature.inputs
        return SameTraced({**shapes, ("", 1): [spec.shape for spec in specs]})

    def _replay(self, call: Call) -> Replay:
        return Replay(call, self._calls.reset)

    def _found(self, run: ModelRun, judge: Judge) -> list[tuple[str, Cause]]:
        """The layers at fault, inner ones before outer ones; the users' are judged first."""
        replays = [self._replay(call) for call in run.calls]
        users = [each for each in replays if each.users]
        others = [each for each in replays if not each.users][:_MOST_JUDGED]
        for group in (users, others):
            found: list[tuple[str, Cause]] = []
            blamed: list[str] = []
            for each in group:
                path = each.call.site.path
                if any(inner == path or inner.startswith(f"{path}/" if path else "") for inner in blamed):
                    continue  # what it contains is at fault
                cause = _judged(judge, each)
                if cause is not None:
                    found.append((self._words(each.call), cause))
                    blamed.append(path)
            if found:
                return found
        return []

    def _words(self, call: Call) -> str:
        if not call.site.path:
            return f"model {self._model.name!r} ({call.site.kind})"
        return f"layer {call.site.path!r} ({call.site.kind})"

    def _failures(self, why: str, found: Sequence[tuple[str, Cause]]) -> tuple[Check, ...]:
        if not found:
            return (Check.failure(CheckKind.MODEL, Subject(), why, _UNNAMED),)
        return tuple(
            replace(
                Check.failure(CheckKind.MODEL, Subject(), _said(who, cause), why, f"hint: {cause.hint}"),
                metrics={"layer": who},
            )
            for who, cause in found
        )


def rows_of(arrays: Sequence[Array], rows: SampleRows) -> list[Array]:
    """The rows of every input."""
    return [np.ascontiguousarray(array[rows.start : rows.stop]) for array in arrays]


def _said(who: str, cause: Cause) -> str:
    return f"{who} {cause.what}" + (f"; {cause.place.quoted}" if cause.place else "")


def _judged(judge: Callable[[Replay], Cause | None], replay: Replay) -> Cause | None:
    try:
        return judge(replay)
    except Exception:  # noqa: BLE001  a layer that cannot be called on its own is not judged
        return None
