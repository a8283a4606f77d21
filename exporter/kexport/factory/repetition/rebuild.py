"""The bundle that exists against one that is built anew and thrown away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kexport.bundle import signed_statement
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Report, Subject
from kexport.errors import ModelError, located
from kexport.factory.pipeline import make
from kexport.factory.repetition.first_difference import first_difference
from kexport.factory.request import BuildRequest
from kexport.scratch import temporary_folder


def check_rebuild(request: BuildRequest, progress: Callable[[str], None] = lambda step: None) -> tuple[Bundle, Report]:
    """Build what a request describes in a temporary folder, and compare it with the bundle that exists.

    Args:
        request: that of the bundle's build; nothing is written to its `out`.
        progress: called with the name of each step as it begins.

    Returns:
        The bundle that exists, and one check for each file of either.

    Raises:
        BundleError: there is no bundle to compare with.
        KexportError: the request is wrong, or the model cannot be loaded or exported.
    """
    try:
        with request.trust.lambdas(), temporary_folder() as folder:
            plan = request.plan()
            existing = Bundle.open(plan.target)
            make(plan, folder, progress)
            progress("comparing the bytes")
            rebuilt = Bundle.open(folder)
            checks = tuple(_checks(existing.path, folder))
            differs = not all(check.passed for check in checks)
            return existing, Report(
                existing.manifest.name, checks, tuple(_causes(existing, rebuilt)) if differs else ()
            )
    except SystemExit as end:  # the caller's process would end as if it had succeeded
        raise ModelError("the code of the model ends the process", got=located(end), hint="remove that call") from end


def _checks(existing: Path, rebuilt: Path) -> Iterator[Check]:
    ours, theirs = _files(existing), _files(rebuilt)
    for name in sorted(ours.keys() | theirs.keys()):
        subject = Subject(name)
        if name not in theirs:
            yield Check.failure(CheckKind.REBUILD, subject, "another build does not write this file")
        elif name not in ours:
            yield Check.failure(CheckKind.REBUILD, subject, "only another build writes this file")
        elif (difference := first_difference(ours[name], theirs[name])) is not None:
            yield Check.failure(CheckKind.REBUILD, subject, difference)
        else:
            yield Check.success(CheckKind.REBUILD, subject)


def _files(folder: Path) -> dict[str, Path]:
    """The files of a bundle but for its signature, which no build writes."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    files.pop(signed_statement.FILE_NAME, None)
    return files


def _causes(existing: Bundle, rebuilt: Bundle) -> Iterator[str]:
    """What has most likely made another bundle of the same model: other versions, or other options."""
    before, now = existing.manifest.provenance, rebuilt.manifest.provenance
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if changed:
        told = ", ".join(f"{name} {_version(now, name)} instead of {_version(before, name)}" for name in changed)
        yield f"probable cause: other versions than those of the bundle: {told}"


def _version(versions: Mapping[str, object], name: str) -> object:
    return versions.get(name, "(none)")
