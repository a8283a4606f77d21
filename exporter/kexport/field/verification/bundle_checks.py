"""Checking a bundle: digests, then signature and goldens in every runtime, each in a process of its own.

A crash of a native runtime is a failed check with a name. Runtimes of one package share a process, since importing
it is most of the work; packages run beside each other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kexport.bundle.folder import Bundle, require_digest
from kexport.bundle.limits import DECLARED
from kexport.bundle.report import Check, CheckKind, Note, Observer, Report, RuntimeNote, Subject
from kexport.errors import ArtifactError
from kexport.field.remote import RemoteSession, RestartingWorker
from kexport.field.search import loop
from kexport.field.search.verdicts import Truth
from kexport.field.trust import Trust, TrustJson
from kexport.field.verification import contract_checks
from kexport.parity.budget import Budget
from kexport.parity.strictness import Strictness, StrictnessJson
from kexport.parity.tolerance import Tolerance, declaration
from kexport.process import Worker, WorkerCrashError
from kexport.runtimes import Runtime, group_of
from kexport.runtimes import every as every_runtime
from kexport.runtimes import get as get_runtime
from kexport.runtimes import names as runtime_names


def verify(
    path: str | Path,
    runtimes: Sequence[str] | None = None,
    *,
    imports: Sequence[str] = (),
    allow_lambda: bool = False,
    search: Budget | str | None = None,
    tolerance: Mapping[str, Tolerance | str | float] | None = None,
    observe: Observer = lambda check: None,
    workers: Mapping[str, Worker] | None = None,
    here: Sequence[str] = (),
    truth: Truth | None = None,
) -> Report:
    """Check a bundle on this machine.

    Args:
        path: the bundle's folder.
        runtimes: their names; by default every one that is installed and can read an artifact of the bundle.
        imports: files or modules that register the layers of a `.keras` artifact.
        allow_lambda: load Lambda layers of a `.keras` artifact.
        search: how long to search for the inputs on which each runtime is furthest from every other that is installed;
            `"30s"`, or `"5000"` evaluations. What is found wrong is kept in the bundle.
        tolerance: limits of some outputs in place of their own, such as `{"y": "1e-4: 12-bit sensor"}` or `"40dB"`.
        observe: called with each check as soon as it is made.
        workers: processes already started for a group of runtimes; they are ended here.
        here: runtimes to check in this process, because what they need exists nowhere else.
        truth: what is right on any input; the search then compares with it, and not the runtimes with each other.

    Returns:
        Every check that was asked for; one that could not be made has not passed.

    Raises:
        BundleError: the bundle cannot be read.
        UsageError: no runtime, or no output, has one of the names; a budget or a tolerance cannot be read.
    """
    trust, strictness = Trust.of(imports, allow_lambda), Strictness.of(search, tolerance)
    budget = strictness.search
    wanted = None if runtimes is None else [get_runtime(name) for name in dict.fromkeys(runtimes)]
    bundle = Bundle.open(path)
    formats = {artifact.format for artifact in bundle.manifest.artifacts}
    notes: list[Note] = [*bundle.manifest.notes, *contract_checks.notes(bundle.manifest.contracts)]
    checks: list[Check] = []

    def record(check: Check) -> None:
        checks.append(check)
        observe(check)

    if wanted is None:
        able = [runtime for runtime in every_runtime() if runtime.reads in formats]
        wanted = [runtime for runtime in able if runtime.installed]
        notes += [RuntimeNote(runtime.name, "was left out: not installed") for runtime in able if not runtime.installed]
        if not wanted:
            record(_unmade(None, f"no runtime that reads {', '.join(sorted(formats))} is installed"))
    sound = check_digests(bundle, record)
    groups: dict[str, list[Runtime]] = {}
    for runtime in wanted:
        if runtime.reads not in formats:
            record(_unmade(runtime.name, f"the bundle holds no {runtime.reads} artifact"))
        elif not runtime.installed:
            record(_unmade(runtime.name, f"not installed: pip install 'kexport[{runtime.extra}]'"))
        elif sound(runtime.reads):
            groups.setdefault(group_of(runtime), []).append(runtime)
        else:
            record(_unmade(runtime.name, "not run: the digest of its artifact, or of the goldens, is wrong"))
    limits = strictness.limits(bundle.manifest.limits)
    notes += [declaration(limit) for limit in limits if limit.source == DECLARED]
    with contextlib.ExitStack() as stack:
        lanes = {
            name: stack.enter_context(
                contextlib.closing(RestartingWorker(members[0].module, (workers or {}).get(name)))
            )
            for name, members in groups.items()
            if any(runtime.name not in here for runtime in members)
        }
        options: dict[str, Any] = {"trust": trust.to_json(), "strictness": strictness.to_json()}
        _check_all(Path(path), groups, lanes, here, record, options)
        if budget is not None and groups:
            tested = [runtime for members in groups.values() for runtime in members]
            partners = [] if truth is not None else _partners(tested, formats, sound)
            for runtime in partners:
                if group_of(runtime) not in lanes:
                    lane = RestartingWorker(runtime.module)
                    lanes[group_of(runtime)] = stack.enter_context(contextlib.closing(lane))
            folder = stack.enter_context(loop.temporary_folder())
            remotes = [
                RemoteSession(
                    Path(path),
                    artifact.path,
                    runtime,
                    None if runtime.name in here else lanes[group_of(runtime)],
                    folder,
                    trust,
                )
                for runtime in (*tested, *partners)
                for artifact in bundle.artifacts_of(runtime.reads)
            ]
            failed = {(check.artifact, check.runtime) for check in checks if check.ran and not check.passed}
            for remote in remotes:
                remote.doubted = (remote.artifact, remote.runtime.name) in failed
            names = [runtime.name for runtime in tested]
            loop.search(bundle, remotes, names, limits, budget, truth, record)
    return Report(bundle.manifest.name, tuple(in_order(checks)), tuple(notes))


def _check_all(
    path: Path,
    groups: Mapping[str, Sequence[Runtime]],
    lanes: Mapping[str, RestartingWorker],
    here: Sequence[str],
    record: Observer,
    options: Mapping[str, Any],
) -> None:
    """Check every runtime: the groups beside each other, and meanwhile those of this process."""
    with ThreadPoolExecutor(max_workers=max(1, len(groups))) as pool:
        jobs = [
            pool.submit(run_group, path, [r for r in members if r.name not in here], record, options, lanes[name])
            for name, members in groups.items()
            if name in lanes
        ]
        for runtime in [runtime for members in groups.values() for runtime in members if runtime.name in here]:
            for item in check_runtime(str(path), runtime.name, **options):
                record(Check.from_json(item))
        for job in jobs:
            job.result()


def _partners(tested: Sequence[Runtime], formats: set[str], sound: Callable[[str], bool]) -> list[Runtime]:
    """The other runtimes that are installed and can read an artifact of the bundle."""
    return [
        runtime
        for runtime in every_runtime()
        if runtime not in tested and runtime.reads in formats and runtime.installed and sound(runtime.reads)
    ]


def check_digests(bundle: Bundle, record: Observer) -> Callable[[str], bool]:
    """Check the digest of goldens and artifacts; the answer tells of a format whether its runtimes may run."""
    failed: set[str] = set()
    entries: list[tuple[str, str, str]] = [("", bundle.manifest.goldens_path, bundle.manifest.goldens_sha256)]
    if bundle.manifest.samples is not None:
        entries.append(("samples", bundle.manifest.samples.path, bundle.manifest.samples.sha256))
    entries += [(a.format, *file) for a in bundle.manifest.artifacts for file in a.files]
    for format_name, path, sha256 in entries:
        try:
            require_digest(bundle.path / path, sha256)
        except ArtifactError as error:
            failed.add(format_name)
            record(Check.failure(CheckKind.DIGEST, Subject(path), str(error)))
        else:
            record(Check.success(CheckKind.DIGEST, Subject(path)))
    return lambda format_name: not failed & {"", format_name}


def run_group(
    path: Path, runtimes: Sequence[Runtime], record: Observer, options: Mapping[str, Any], lane: RestartingWorker
) -> None:
    """Check the runtimes of one group in a process that is started again when one of them kills it."""
    for runtime in runtimes:
        worker = lane.worker
        try:
            worker.submit(
                "kexport.field.verification.bundle_checks:check_runtime", path=str(path), name=runtime.name, **options
            )
            for item in worker.results():
                record(Check.from_json(item))
        except WorkerCrashError as crash:
            record(Check.failure(CheckKind.RUNTIME, Subject(runtime=runtime.name), str(crash)))


def check_runtime(
    path: str,
    name: str,
    trust: TrustJson,
    strictness: StrictnessJson,
) -> Iterator[dict[str, Any]]:
    """The checks of one runtime, made in the process that calls this, one JSON check at a time."""
    from kexport.field.verification import artifact_checks

    runtime = get_runtime(name)
    bundle = Bundle.open(path)
    asked = Strictness.from_json(strictness)
    limits = asked.limits(bundle.manifest.limits)
    effort = contract_checks.effort_of(asked.search, len(bundle.manifest.contracts))
    for artifact in bundle.artifacts_of(runtime.reads):
        for check in artifact_checks.check_artifact(bundle, artifact, runtime, limits, Trust.from_json(trust), effort):
            yield check.to_json()


def in_order(checks: Sequence[Check]) -> list[Check]:
    """The checks as reports show them, whatever order they were made in."""
    ranks = {name: rank for rank, name in enumerate(runtime_names())}
    return sorted(checks, key=lambda check: ranks.get(check.runtime or "", -1))


def _unmade(runtime: str | None, why: str) -> Check:
    return Check.not_run(CheckKind.RUNTIME, Subject(runtime=runtime), why)
