"""Comparing any two models: bundles, or bare artifacts of any format, of which A is taken for right."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kexport.bundle.digests import digest
from kexport.bundle.domain import Domain
from kexport.bundle.report import Check, CheckKind, FactCode, Observer, Report, Subject
from kexport.bundle.signature import Array
from kexport.errors import ModelError
from kexport.field.comparison import limits as derived_limits
from kexport.field.comparison import shared_interface
from kexport.field.comparison.inputs import Case, rehearsal
from kexport.field.comparison.operands import Model, Side, contenders
from kexport.field.comparison.replay import Match, contrast
from kexport.field.comparison.shared_interface import Frame
from kexport.field.comparison.tensor_pairs import Pair, paired, require_known
from kexport.field.comparison.worst_input import keep, writable
from kexport.field.inspection import declaration_of
from kexport.field.integrity import check_digests
from kexport.field.remote import ArtifactSource, NameMap, Outputs, RemoteSession, RestartingWorker, RuntimeFailedError
from kexport.field.scratch import temporary_folder
from kexport.field.search import checks as search_checks
from kexport.field.search import loop
from kexport.field.search.target import Contest
from kexport.field.trust import Trust
from kexport.parity.budget import DEFAULT_SEARCH, Budget, Clock
from kexport.parity.space import Space
from kexport.parity.strictness import Strictness
from kexport.parity.tolerance import Tolerance
from kexport.runtimes import get as get_runtime
from kexport.runtimes import group_of

#: How long is searched unless told otherwise.
_PROBES = 2  # cases that tell the dtypes and shapes of outputs


def compare(
    a: str | Path,
    b: str | Path,
    runtimes: Sequence[str] | None = None,
    *,
    names: Mapping[str, str] | None = None,
    domain: Mapping[str, Any] | None = None,
    samples: str | Path | None = None,
    search: Budget | str = DEFAULT_SEARCH,
    tolerance: Mapping[str, Tolerance | str | float] | None = None,
    witness: str | Path | None = None,
    imports: Sequence[str] = (),
    allow_lambda: bool = False,
    observe: Observer = lambda check: None,
) -> Report:
    """Compare two models: whether B computes what A does, on the goldens of a bundle, or else on inputs drawn alike.

    Args:
        a: a bundle, a SavedModel, or a `.onnx`, `.tflite` or `.keras` file.
        b: likewise, in the same format or another.
        runtimes: names of those to take. By default two bundles are compared in every one that is installed and reads
            an artifact of both, and anything else in the best for each.
        names: inputs and outputs of B by those of A, where they differ.
        domain: where inputs live, by the names of A; by default as a bundle says, else a default that a note tells.
        samples: a `.npz`, `.npy` or `.csv` file with recorded inputs.
        search: how long to search for the input on which they differ most: `"30s"`, or `"5000"` evaluations.
        tolerance: limits of outputs in place of the derived ones.
        witness: a `.npz` file for the worst input.
        imports: files or modules that register the layers of a `.keras` file.
        allow_lambda: load Lambda layers of a `.keras` file.
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
    trust, strictness = Trust.of(imports, allow_lambda), Strictness.of(search, tolerance)
    wanted = [get_runtime(name) for name in dict.fromkeys(runtimes)] if runtimes else None
    target = None if witness is None else writable(Path(witness))
    models = Model.open(a), Model.open(b)
    sides, notes = contenders(*models, wanted)
    checks: list[Check] = []

    def record(check: Check) -> None:
        checks.append(check)
        observe(check)

    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        comparison = _Comparison(models, folder, trust, stack, notes, record)
        if comparison.sound():
            comparison.run(sides, names or {}, (domain or {}, samples), strictness, target)
    return Report(_titled(Path(a), Path(b)), tuple(checks), tuple(dict.fromkeys(notes)))


@dataclass
class _Comparison:
    """One comparison under way."""

    models: tuple[Model, Model]
    folder: Path
    trust: Trust
    stack: contextlib.ExitStack
    notes: list[str]
    record: Observer

    def sound(self) -> bool:
        """Whether goldens and artifacts of the bundles are those that were built; makes the checks of that."""
        found = True
        for name, model in zip("AB", self.models, strict=True):
            if model.bundle is not None:
                for check in check_digests(model.bundle).checks:
                    facts = (f"{name}: {check.facts[0]}", *check.facts[1:]) if check.facts else (f"of {name}",)
                    self.record(replace(check, facts=facts))
                    found &= check.passed
        bare = all(model.bundle is None for model in self.models)
        if bare and digest(self.models[0].path) == digest(self.models[1].path):
            self.notes.append("A and B are the same bytes")
        return found

    def run(
        self, sides: Sequence[tuple[Side, Side]], told: Mapping[str, str],
        where: tuple[Mapping[str, Any], str | Path | None], strictness: Strictness,
        target: Path | None,
    ) -> None:  # fmt: skip
        """Pair inputs and outputs, then make the checks of every pair of artifacts."""
        lanes: dict[tuple[str, str], RestartingWorker] = {}
        remotes = [
            tuple(self._remote(name, side, lanes) for name, side in zip("AB", each, strict=True)) for each in sides
        ]
        first = remotes[0]
        signatures = [remote.signature for remote in first]
        inputs, notes = paired("input", signatures[0].inputs, signatures[1].inputs, told)
        self.notes += notes
        subject = Subject(sides[0][1].artifact, _runtimes(first))
        if problems := [pair.problem for pair in inputs if pair.problem]:
            self.record(Check.failure(CheckKind.SIGNATURE, subject, *problems))
            return
        domains, notes = shared_interface.settled(inputs, *self.models, *where)
        self.notes += notes
        try:
            outputs = self._outputs(first, inputs, domains, told)
        except (RuntimeFailedError, ModelError) as error:
            made = Check.failure if isinstance(error, RuntimeFailedError) else Check.not_run
            self.record(made(CheckKind.RUNTIME, subject, str(error)))
            return
        problems = [pair.problem for pair in outputs if pair.problem]
        self.record(Check(CheckKind.SIGNATURE, not problems, subject, facts=tuple(problems)))
        outputs = [pair for pair in outputs if not pair.problem]
        if outputs:
            frame = Frame.of(inputs, outputs)
            pairs = [(a.renamed(frame.a), b.renamed(frame.b)) for a, b in remotes]
            self._judge(frame, domains, pairs, outputs, strictness, target)

    def _remote(self, name: str, side: Side, lanes: dict[tuple[str, str], RestartingWorker]) -> RemoteSession:
        key = name, group_of(side.runtime)
        if key not in lanes:
            lanes[key] = self.stack.enter_context(contextlib.closing(RestartingWorker(side.runtime.package.module)))
        model = side.model
        if model.bundle is not None:
            signature = model.bundle.signature
        else:
            path = model.home / side.artifact
            signature = declaration_of(lanes[key].worker, path, side.runtime, self.trust).signature
        source = ArtifactSource(model.home, side.artifact, side.runtime, signature, self.trust)
        return RemoteSession(source, lanes[key], self.folder, label=f"{name} ({side.runtime.name})")

    def _outputs(
        self,
        remotes: Sequence[RemoteSession],
        inputs: Sequence[Pair],
        domains: Mapping[str, Domain],
        told: Mapping[str, str],
    ) -> list[Pair]:
        """The pairs of outputs; what no bundle tells of them is seen by running.

        Raises:
            ModelError: both refuse every input.
            RuntimeFailedError: one of them refuses every input.
        """
        known = [model.bundle is not None for model in self.models]
        sides = []
        for index, remote in enumerate(remotes):
            specs = remote.signature.outputs
            if not known[index]:
                probed = self._probed(remotes, index, inputs, domains)
                specs = tuple(shared_interface.observed([spec.name for spec in specs], probed))
            sides.append(specs)
        require_known(
            told, *([*remote.signature.inputs, *outputs] for remote, outputs in zip(remotes, sides, strict=True))
        )
        pairs, notes = paired("output", sides[0], sides[1], told)
        self.notes += notes
        return pairs

    def _probed(
        self, remotes: Sequence[RemoteSession], index: int, inputs: Sequence[Pair], domains: Mapping[str, Domain]
    ) -> list[tuple[Mapping[str, Array], Outputs]]:
        frame = Frame.of(inputs, ())
        names = [replace(each, outputs=NameMap.own(r.signature).outputs)
                 for each, r in zip((frame.a, frame.b), remotes, strict=True)]  # fmt: skip
        called = [remote.renamed(own) for remote, own in zip(remotes, names, strict=True)]
        found: list[tuple[Mapping[str, Array], Outputs]] = []
        refused: RuntimeFailedError | None = None
        for label, feeds in self._cases(frame, domains, called):
            try:
                found.append((feeds, called[index].run([feeds])[0]))
            except RuntimeFailedError as error:
                refused = RuntimeFailedError(f"{remotes[index].label} fails on {label}: {error}", remotes[index])
            if len(found) == _PROBES:
                break
        if refused is not None and not found:
            raise refused
        return found

    def _cases(self, frame: Frame, domains: Mapping[str, Domain], remotes: Sequence[RemoteSession]) -> Iterator[Case]:
        def accepts(feeds: Mapping[str, Array]) -> str | None:
            for remote in remotes:
                try:
                    remote.run([feeds])
                except RuntimeFailedError as error:
                    return f"{remote.label}: {error}"
            return None

        models = list(zip(self.models, (frame.a, frame.b), strict=True))
        return rehearsal(models, frame.signature, domains, accepts)

    def _judge(
        self, frame: Frame, domains: Mapping[str, Domain], pairs: Sequence[tuple[RemoteSession, RemoteSession]],
        outputs: Sequence[Pair], strictness: Strictness, target: Path | None,
    ) -> None:  # fmt: skip
        budget = strictness.search
        assert budget is not None
        ulp = derived_limits.ulp_of(self.models, frame.signature)
        rehearsed = self._cases(frame, domains, pairs[0])
        shapes, limits, notes = derived_limits.limits(self.models, frame, domains, pairs, rehearsed, ulp, strictness)
        self.notes += notes
        stateful = any(model.bundle is not None and model.bundle.manifest.stateful for model in self.models)
        space = Space(frame.signature, domains, shapes)
        still = frozenset(name for name, own in domains.items() if own.is_discrete)
        matches, contests = [], []
        for index, ((a, b), own) in enumerate(zip(pairs, limits, strict=True)):
            match = Match(a, b, frame.signature, own, space.batched, ulp, stateful, still)
            contest = Contest(
                b, a, space, frame.signature, tuple(own.values()), ulp, budget.seed + index, between=True
            )  # fmt: skip
            made = list(contrast(match, self._cases(frame, domains, (a, b)), None if stateful else contest))
            for check in made:
                self.record(check)
            matches.append((match, made))
            if all(check.kind is CheckKind.PARITY for check in made):
                contests.append((match, contest))
        if stateful:
            self.notes.append("no search: the model keeps state between calls, and single inputs say nothing of it")
        elif contests:
            clock = Clock(budget)
            loop.run(space, [contest for _, contest in contests], None, budget, clock)
            self.notes += keep([contest for _, contest in contests], target)
            for match, contest in contests:
                failed = [contest] if contest.settled else []
                check = search_checks.check(match.b, [contest], failed, clock, budget)
                metrics = {**check.metrics, **match.metrics}
                self.record(replace(check.in_runtime(match.runtimes), metrics=metrics))
        self._say_identical(matches, [contest for _, contest in contests], len(shapes))

    def _say_identical(
        self, matches: Sequence[tuple[Match, list[Check]]], contests: Sequence[Contest], cases: int
    ) -> None:
        checks = [check for _, made in matches for check in made]
        same = all(check.kind is CheckKind.PARITY and check.states(FactCode.IDENTICAL) for check in checks)
        searched = all(c.standing.worst == 0 and not c.standing.suspects and not c.settled for c in contests)
        if checks and same and searched and len(contests) in (0, len(matches)):
            tried = sum(contest.standing.evaluations for contest in contests)
            self.notes.append(
                f"identical: no element of any output differs, in {cases} cases and {tried} inputs of search"
            )


def _runtimes(remotes: Sequence[RemoteSession]) -> str:
    ours, theirs = (remote.runtime.name for remote in remotes)
    return theirs if ours == theirs else f"{theirs} against {ours}"


def _titled(a: Path, b: Path) -> str:
    return f"{b.name} against {a.name}" if a.name != b.name else f"{b} against {a}"
