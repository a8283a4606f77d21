"""Checking a bundle: digests, then signature and goldens in every runtime, each in a process of its own.

A crash of a native runtime is a failed check with a name. Runtimes of one package share a process, since importing
it is most of the work; packages run beside each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kexport.bundle.folder import Bundle, require_digest
from kexport.bundle.report import Check, Report
from kexport.errors import ArtifactError
from kexport.process import Worker, WorkerCrashError
from kexport.runtimes import _runtime
from kexport.runtimes._runtime import Runtime

Observer = Callable[[Check], None]


def verify(
    path: str | Path,
    runtimes: Sequence[str] | None = None,
    *,
    imports: Sequence[str] = (),
    allow_lambda: bool = False,
    observe: Observer = lambda check: None,
    workers: Mapping[str, Worker] | None = None,
    here: Sequence[str] = (),
) -> Report:
    """Check a bundle on this machine.

    Args:
        path: the bundle's folder.
        runtimes: their names; by default every one that is installed and can read an artifact of the bundle.
        imports: files or modules that register the layers of a `.keras` artifact.
        allow_lambda: load Lambda layers of a `.keras` artifact.
        observe: called with each check as soon as it is made.
        workers: processes already started for a group of runtimes; they are ended here.
        here: runtimes to check in this process, because what they need exists nowhere else.

    Returns:
        Every check that was asked for; one that could not be made has not passed.

    Raises:
        BundleError: the bundle cannot be read.
        UsageError: no runtime has one of the names.
    """
    wanted = None if runtimes is None else [_runtime.get(name) for name in dict.fromkeys(runtimes)]
    bundle = Bundle.open(path)
    formats = {artifact.format for artifact in bundle.manifest.artifacts}
    notes = bundle.manifest.notes
    checks: list[Check] = []

    def record(check: Check) -> None:
        checks.append(check)
        observe(check)

    if wanted is None:
        able = [runtime for runtime in _runtime.every() if runtime.reads in formats]
        wanted = [runtime for runtime in able if runtime.installed]
        notes += [f"{runtime.name} was left out: not installed" for runtime in able if not runtime.installed]
        if not wanted:
            record(_unmade("*", f"no runtime that reads {', '.join(sorted(formats))} is installed"))
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
    options: dict[str, Any] = {"imports": list(imports), "allow_lambda": allow_lambda}
    local = [runtime for members in groups.values() for runtime in members if runtime.name in here]
    remote = {name: [r for r in members if r not in local] for name, members in groups.items()}
    with ThreadPoolExecutor(max_workers=max(1, len(groups))) as pool:
        jobs = [
            pool.submit(run_group, Path(path), members, record, options, (workers or {}).get(name))
            for name, members in remote.items()
            if members
        ]
        for runtime in local:
            for item in check_runtime(str(path), runtime.name, **options):
                record(Check.from_json(item))
        for job in jobs:
            job.result()
    return Report(bundle.manifest.name, tuple(in_order(checks)), tuple(notes))


def group_of(runtime: Runtime) -> str:
    """Runtimes of one group share a process: those that import the same package."""
    return "tensorflow" if runtime.module in ("tensorflow", "keras") else runtime.module


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
            record(Check("digest", False, artifact=path, detail=str(error)))
        else:
            record(Check("digest", True, artifact=path))
    return lambda format_name: not failed & {"", format_name}


def run_group(
    path: Path, runtimes: Sequence[Runtime], record: Observer, options: dict[str, Any], worker: Worker | None = None
) -> None:
    """Check the runtimes of one group in a worker process, starting another when one of them kills it."""
    worker = worker or Worker(preload=[runtimes[0].module])
    try:
        for runtime in runtimes:
            if not worker.alive:
                worker.close()
                worker = Worker(preload=[runtime.module])
            try:
                worker.submit("kexport.field.verifying:check_runtime", path=str(path), name=runtime.name, **options)
                for item in worker.results():
                    record(Check.from_json(item))
            except WorkerCrashError as crash:
                record(Check("runtime", False, runtime=runtime.name, detail=str(crash)))
    finally:
        worker.close()


def check_runtime(path: str, name: str, imports: Sequence[str], allow_lambda: bool) -> Iterator[dict[str, Any]]:
    """The checks of one runtime, made in the process that calls this, one JSON check at a time."""
    from kexport.field import checking

    runtime = _runtime.get(name)
    bundle = Bundle.open(path)
    for artifact in bundle.artifacts_of(runtime.reads):
        for check in checking.check_artifact(bundle, artifact, runtime, imports, allow_lambda):
            yield check.to_json()


def in_order(checks: Sequence[Check]) -> list[Check]:
    """The checks as reports show them, whatever order they were made in."""
    ranks = {name: rank for rank, name in enumerate(_runtime.names())}
    return sorted(checks, key=lambda check: ranks.get(check.runtime or "", -1))


def _unmade(runtime: str, why: str) -> Check:
    return Check("runtime", False, runtime=None if runtime == "*" else runtime, detail=why, ran=False)
