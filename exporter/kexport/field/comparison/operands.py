"""What `compare` is given, a bundle or a bare artifact, and the runtimes in which two of them are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kexport import runtimes
from kexport.bundle import manifest
from kexport.bundle.folder import Bundle
from kexport.errors import MissingRuntimeError
from kexport.field.inspection import format_of
from kexport.runtimes import Runtime


@dataclass(frozen=True)
class Model:
    """A bundle, or one artifact without one.

    Attributes:
        path: of the bundle's folder, or of the artifact.
        home: the folder that the artifacts lie in.
        artifacts: paths in that folder, by format.
        bundle: None for a bare artifact.
    """

    path: Path
    home: Path
    artifacts: Mapping[str, Sequence[str]]
    bundle: Bundle | None = None

    @classmethod
    def open(cls, path: str | Path) -> Model:
        """The model at a path.

        Raises:
            BundleError: nothing is there, or nothing that is known.
        """
        path = Path(path)
        if not (path / manifest.FILE_NAME).exists():
            return cls(path, path.parent, {format_of(path): [path.name]})
        bundle = Bundle.open(path)
        formats = {artifact.format: None for artifact in bundle.manifest.artifacts}
        return cls(path, path, {f: [a.path for a in bundle.artifacts_of(f)] for f in formats}, bundle)


@dataclass(frozen=True)
class Side:
    """One artifact of a model in one runtime."""

    model: Model
    artifact: str
    runtime: Runtime


def contenders(a: Model, b: Model, wanted: Sequence[Runtime] | None) -> tuple[list[tuple[Side, Side]], list[str]]:
    """Which artifacts are compared in which runtimes, and notes on that.

    Two bundles are compared in every runtime that reads an artifact of both. Where there is none, and for bare
    artifacts, it is the best runtime of each.

    Args:
        a: one model.
        b: the other one.
        wanted: the runtimes that may be taken; all that are installed by default.

    Raises:
        MissingRuntimeError: a runtime is missing, or reads nothing of either.
    """
    for runtime in wanted or ():
        runtime.require()
        if runtime.reads not in {*a.artifacts, *b.artifacts}:
            raise MissingRuntimeError(
                f"runtime {runtime.name!r} can read neither of the two",
                got=f"{_listed(a)} and {_listed(b)}",
                expected=runtime.reads,
            )
    if a.bundle is None or b.bundle is None:
        return [(_best(a, wanted), _best(b, wanted))], []
    common = [r for r in runtimes.every() if r.reads in a.artifacts and r.reads in b.artifacts]
    able = [r for r in common if (r.installed if wanted is None else r in wanted)]
    if not able:
        return [(_best(a, wanted), _best(b, wanted))], [
            "the bundles are not compared format by format: none is in both"
        ]
    notes = [f"{r.name} was left out: not installed" for r in common if wanted is None and not r.installed]
    return [pair for runtime in able for pair in _pairs(a, b, runtime)], notes


def _pairs(a: Model, b: Model, runtime: Runtime) -> list[tuple[Side, Side]]:
    """Artifacts of the same path, or else the first of each."""
    ours, theirs = a.artifacts[runtime.reads], b.artifacts[runtime.reads]
    same = [path for path in ours if path in theirs]
    pairs = [(path, path) for path in same] or [(ours[0], theirs[0])]
    return [(Side(a, one, runtime), Side(b, other, runtime)) for one, other in pairs]


def _best(model: Model, wanted: Sequence[Runtime] | None) -> Side:
    chosen = runtimes.best(model.artifacts, model.path.name, wanted)
    return Side(model, model.artifacts[chosen.reads][0], chosen)


def _listed(model: Model) -> str:
    return ", ".join(model.artifacts) or "no artifact"
