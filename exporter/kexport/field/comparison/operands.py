"""The operands of `compare`, bundles or bare artifacts, and the runtimes in which two of them are compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kexport import runtimes
from kexport.bundle.digests import digest_of_all, size
from kexport.bundle.folder import Bundle, is_bundle
from kexport.bundle.regular_files import most_of, require_size
from kexport.errors import BundleError, MissingRuntimeError
from kexport.field.inspection import format_of
from kexport.runtimes import ArtifactFile, Runtime


@dataclass(frozen=True)
class Operand:
    """A bundle, or one artifact without a bundle.

    Attributes:
        name: `"A"` or `"B"`.
        path: the path of the bundle's folder, or of the artifact.
        home: the folder that holds the artifacts.
        artifacts: paths in that folder, by format.
        bundle: None for a bare artifact.
    """

    name: str
    path: Path
    home: Path
    artifacts: Mapping[str, Sequence[str]]
    bundle: Bundle | None = None

    @classmethod
    def open(cls, name: str, path: str | Path, max_bytes: int = 0) -> Operand:
        """The operand at a path.

        Args:
            name: A or B.
            path: of a bundle or an artifact.
            max_bytes: what limits on the sizes of its files are raised to.

        Raises:
            BundleError: nothing is there, nothing of a known kind, or something too large.
        """
        path = Path(path)
        if not is_bundle(path):
            operand = cls(name, path, path.parent, {format_of(path): [path.name]})
            try:
                require_size(sum(size(file) for file in operand.files if file.exists()), most_of(max_bytes=max_bytes))
            except OSError as error:
                raise BundleError(f"{path} cannot be read", got=error.strerror or error) from None
            return operand
        bundle = Bundle.open(path, max_bytes)
        formats = {artifact.format: None for artifact in bundle.manifest.artifacts}
        return cls(name, path, path, {f: [a.path for a in bundle.artifacts_of(f)] for f in formats}, bundle)

    @property
    def bytes(self) -> int:
        """The size of its artifacts."""
        return sum(map(size, self.files)) if self.bundle is None else self.bundle.artifact_bytes

    @property
    def files(self) -> list[Path]:
        """A bare artifact, and the files beside it that belong to it."""
        return self.file.parts(self.path)

    @property
    def file(self) -> ArtifactFile:
        """How a bare artifact is read."""
        format_name = next(iter(self.artifacts))
        return next(each.file for each in runtimes.every() if each.reads == format_name)

    @property
    def goldens_bytes(self) -> int:
        """The size of the goldens of its bundle; 0 for a bare artifact."""
        return 0 if self.bundle is None else self.bundle.goldens_bytes

    @property
    def stateful(self) -> bool:
        """Whether its bundle, or its file, says that the model keeps state between calls."""
        return self.file.keeps_state(self.path) if self.bundle is None else self.bundle.manifest.stateful


@dataclass(frozen=True)
class Candidate:
    """One artifact of an operand in one runtime."""

    operand: Operand
    artifact: str
    runtime: Runtime


def contenders(
    a: Operand, b: Operand, wanted: Sequence[Runtime] | None
) -> tuple[list[tuple[Candidate, Candidate]], list[str]]:
    """The pairs of artifacts to compare, each in its runtime, and notes on that.

    Two bundles are compared in every runtime that reads an artifact of both. Where there is none, and for bare
    artifacts, it is the best runtime of each, or each that is wanted.

    Args:
        a: one operand.
        b: the other one.
        wanted: the runtimes that may be taken; all that are installed by default.

    Raises:
        MissingRuntimeError: a runtime is missing, or reads nothing of either.
    """
    for runtime in wanted or ():
        runtime.require()
        if runtime.reads not in {*a.artifacts, *b.artifacts}:
            raise MissingRuntimeError(
                f"runtime {runtime.name!r} can read neither of the two models",
                got=f"{_listed(a)} and {_listed(b)}",
                expected=runtime.reads,
            )
    if a.bundle is None or b.bundle is None:
        pairs = _of_bare(a, b, wanted)
        return pairs, _left_out(pairs) if wanted is None else []
    common = [r for r in runtimes.every() if r.reads in a.artifacts and r.reads in b.artifacts]
    able = [r for r in common if (r.installed if wanted is None else r in wanted)]
    if not able:
        return [(_best(a, wanted), _best(b, wanted))], [
            "the bundles have no format in common, so they are not compared format by format"
        ]
    notes = [f"{r.name} was left out: not installed" for r in common if wanted is None and not r.installed]
    return [pair for runtime in able for pair in _pairs(a, b, runtime)], notes


def _of_bare(a: Operand, b: Operand, wanted: Sequence[Runtime] | None) -> list[tuple[Candidate, Candidate]]:
    """Every wanted runtime once: with itself where it reads both, else with each that reads the other operand."""
    ours, theirs = ([r for r in wanted or () if r.reads in each.artifacts] for each in (a, b))
    common = [runtime for runtime in ours if runtime in theirs]
    pairs = [(runtime, runtime) for runtime in common]
    best_a, best_b = _best(a, wanted).runtime, _best(b, wanted).runtime
    if common:
        pairs += [(runtime, best_b) for runtime in ours if runtime not in common]
        pairs += [(best_a, runtime) for runtime in theirs if runtime not in common]
    else:
        pairs = [(one, other) for one in ours or [best_a] for other in theirs or [best_b]]
    return [(Candidate(a, a.artifacts[one.reads][0], one), Candidate(b, b.artifacts[other.reads][0], other))
            for one, other in pairs]  # fmt: skip


def _left_out(pairs: Sequence[tuple[Candidate, Candidate]]) -> list[str]:
    """A note on the runtimes that were not asked for and read the same artifacts."""
    taken = [candidate.runtime for pair in pairs for candidate in pair]
    others = [r for r in runtimes.every() if r.installed and r not in taken and r.reads in {t.reads for t in taken}]
    return [f"{runtime.name} was not asked for: --runtime {runtime.name} compares in it" for runtime in others]


def _pairs(a: Operand, b: Operand, runtime: Runtime) -> list[tuple[Candidate, Candidate]]:
    """Artifacts of the same path, or else the first of each."""
    ours, theirs = a.artifacts[runtime.reads], b.artifacts[runtime.reads]
    same = [path for path in ours if path in theirs]
    pairs = [(path, path) for path in same] or [(ours[0], theirs[0])]
    return [(Candidate(a, one, runtime), Candidate(b, other, runtime)) for one, other in pairs]


def _best(operand: Operand, wanted: Sequence[Runtime] | None) -> Candidate:
    chosen = runtimes.best(operand.artifacts, operand.path.name, wanted)
    return Candidate(operand, operand.artifacts[chosen.reads][0], chosen)


def _listed(operand: Operand) -> str:
    return ", ".join(operand.artifacts) or "no artifact"


def bare(operands: Iterable[Operand]) -> bool:
    """Whether none of them is a bundle."""
    return all(operand.bundle is None for operand in operands)


def same_bytes(operands: Iterable[Operand]) -> bool:
    """Whether the files of all of them are the same."""
    return len({digest_of_all(operand.files) for operand in operands}) == 1
