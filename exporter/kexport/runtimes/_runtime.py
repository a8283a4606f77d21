"""Runtimes: what opens an artifact, and what it needs."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path

import numpy as np

from kexport import registry
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.confinement import is_confined, limited, raised
from kexport.errors import ArtifactError, InputError, KexportError, MissingRuntimeError, UncheckedError, reason
from kexport.runtimes._session import Opened, Run, Session
from kexport.runtimes._unloadable import hint
from kexport.runtimes.files.keys import FileKeys
from kexport.runtimes.files.stored_graph import StoredGraph

FOLDER = "runtimes"


def _no_details(path: Path) -> Mapping[str, object]:
    return {}


def _nothing_beside(path: Path) -> Sequence[Path]:
    return ()


@dataclass(frozen=True)
class ArtifactFile:
    """How the artifacts of a format are recognised and described.

    Attributes:
        format: its name.
        suffix: the suffix of its file name; empty when the artifact is a folder.
        others: further suffixes of files that its runtimes read.
        member: a file that such a folder holds.
        details: reads further facts from an artifact, such as its opset and operators.
        beside: the files beside it that hold a part of the model.
        keys: reads what inputs meet in its tables and trees.
        keeps_state: whether its file says that a call depends on earlier ones.
        graph: reads the operators of one of its signatures; None where they cannot be read.
    """

    format: str
    suffix: str = ""
    others: tuple[str, ...] = ()
    member: str = ""
    details: Callable[[Path], Mapping[str, object]] = _no_details
    beside: Callable[[Path], Sequence[Path]] = _nothing_beside
    keys: Callable[[Path], FileKeys] = lambda path: {}
    keeps_state: Callable[[Path], bool] = lambda path: False
    graph: Callable[[Path, str], StoredGraph | None] = lambda path, signature: None

    def parts(self, path: Path) -> list[Path]:
        """The artifact, and the files beside it that belong to it."""
        return [path, *self.beside(path)]

    def recognises(self, path: Path) -> bool:
        """Whether the file or folder is such an artifact, by its name or by what the folder holds."""
        if path.is_dir():
            return bool(self.member) and (path / self.member).exists()
        return bool(self.suffix) and path.suffix in (self.suffix, *self.others)


@dataclass(frozen=True)
class Package:
    """The Python package that a runtime needs.

    Attributes:
        module: its import name.
        distributions: its names on the package index; several where several distributions contain the module.
        extra: the extra of kexport that installs it.
        unable: patterns of its messages about an operator that it lacks, each with the operator as a group.
    """

    module: str
    distributions: tuple[str, ...]
    extra: str
    unable: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether it can be imported here; nothing is imported to find out."""
        return importlib.util.find_spec(self.module) is not None

    @property
    def version(self) -> str | None:
        """Its version, None when it is not installed."""
        for name in self.distributions:
            try:
                return metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
        return None

    @property
    def install_command(self) -> str:
        """The command that installs it."""
        return install_command(self.extra)


def install_command(extra: str) -> str:
    """The command that installs an extra of kexport."""
    return f"pip install 'kexport[{extra}]'"


@dataclass(frozen=True)
class Runtime:
    """One way to run an artifact.

    Attributes:
        name: as users type it, and the name of its file.
        file: the artifacts it reads; all runtimes that read one format agree on it.
        package: what must be installed for it.
        rank: among the installed runtimes that can read a bundle, `load` takes the one with the lowest.
        summary: what it is, in one line.
        opener: loads an artifact; everything heavy is imported there.
        accumulation_factor: how much larger its error from the order of additions may be than that of the host's
            kernels (`kexport.parity.tolerance` gives the reason).
        runs_user_code: whether loading an artifact may run a user's own code, such as that of custom layers.
        guard: raises for an artifact that would do more than compute, without running any of it.
        repeatable_integers: whether artifacts of integers give the same integers on every processor.
        other_openers: by name, further ways to load an artifact with other kernels of the package; a build compares
            the integers that they give.
    """

    name: str
    file: ArtifactFile
    package: Package
    rank: int
    summary: str
    opener: Callable[[Path, Signature], Opened]
    accumulation_factor: float = 1.0
    runs_user_code: bool = False
    guard: Callable[[Path], None] | None = None
    repeatable_integers: bool = False
    other_openers: Mapping[str, Callable[[Path, Signature], Opened]] = field(default_factory=dict)

    def lacking(self, message: str) -> str:
        """The operator that a message says the runtime lacks; empty where it says something else."""
        found = next(filter(None, (re.search(pattern, message) for pattern in self.package.unable)), None)
        return found[1] if found else ""

    @property
    def reads(self) -> str:
        """The name of the format it reads."""
        return self.file.format

    @property
    def installed(self) -> bool:
        """Whether it can be imported here; nothing is imported to find out."""
        return self.package.installed

    def require(self) -> None:
        """Raise `MissingRuntimeError` unless it is installed."""
        if not self.installed:
            raise MissingRuntimeError(
                f"runtime {self.name!r} is not installed",
                expected=f"the package {self.package.distributions[0]}",
                hint=self.package.install_command,
            )

    def open(self, path: Path, signature: Signature, *, guarded: bool = True, max_bytes: int = 0) -> Session:
        """Load an artifact; the caller has checked its digest.

        Args:
            path: the artifact.
            signature: its inputs and outputs.
            guarded: whether to refuse an artifact that would do more than compute, or take more memory than it may.
            max_bytes: what the limit on that memory is raised to.

        Raises:
            MissingRuntimeError: the runtime is not installed.
            ArtifactError: the runtime cannot load the artifact.
            MissingCodeError: the artifact would do more than compute.
            UncheckedError: no runtime can open a file at that path.
        """
        self.require()
        _require_utf8(path)
        try:
            with raised(max_bytes, unlimited=not guarded):
                opened = self._opened(path, signature, guarded)
        except KexportError:
            raise
        except Exception as error:  # a library may raise anything
            why = reason(error)
            raise ArtifactError(f"{path.name} cannot be loaded by {self.name}", got=why, hint=hint(why)) from error
        return Session(self.name, signature, opened)

    def _opened(self, path: Path, signature: Signature, guarded: bool) -> Opened:
        """The artifact, within the limits of this process, if it has any."""
        if guarded and self.guard is not None:
            self.guard(path)
        if not is_confined():
            return self.opener(path, signature)
        importlib.import_module(self.package.module)  # its time does not count
        with limited():
            opened = self.opener(path, signature)

        def run(arrays: Sequence[Array]) -> Sequence[Array]:
            with limited(sum(array.nbytes for array in arrays)):
                return opened.run(arrays)

        return replace(opened, run=run)


def _require_utf8(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        hint = "move it to another folder"
        raise UncheckedError("no runtime opens a path that is not UTF-8", got=ascii(str(path)), hint=hint) from None


def is_pinned(declared: Sequence[TensorSpec], signature: Signature) -> bool:
    """Whether a file takes one sample at a time where the signature takes any number."""
    wanted = {spec.name: spec.shape for spec in signature.inputs}
    pairs = [(spec.shape, wanted.get(spec.name, ())) for spec in declared]
    return bool(pairs) and all(shape and want and shape[0] == 1 and want[0] is None for shape, want in pairs)


def by_sample(run: Run) -> Run:
    """Serve batches of any size with an artifact whose batch is pinned to 1, one sample after another."""

    def run_each(arrays: Sequence[Array]) -> Sequence[Array]:
        sizes = {len(array) for array in arrays}
        if len(sizes) > 1:
            raise InputError("the inputs have different batch sizes", got=sorted(sizes), expected="the same for all")
        # What a runtime returns may be overwritten by its next run.
        rows = [[array[row : row + 1] for array in arrays] for row in range(sizes.pop())]
        results = [[np.array(value) for value in run(row)] for row in rows]
        return [np.concatenate(values) for values in zip(*results, strict=True)]

    return run_each


def names() -> list[str]:
    """All runtimes, best first."""
    return [runtime.name for runtime in every()]


def every() -> list[Runtime]:
    """All runtimes, installed or not, best first."""
    return sorted(map(get, registry.names(FOLDER)), key=lambda runtime: runtime.rank)


def get(name: str) -> Runtime:
    """The runtime of that name.

    Raises:
        UsageError: there is none.
    """
    return registry.get(FOLDER, name, Runtime, "RUNTIME")


def best(formats: Collection[str], subject: str, wanted: Sequence[Runtime] | None = None) -> Runtime:
    """The best installed runtime that reads one of the formats.

    Args:
        formats: the formats of the artifacts at hand.
        subject: what holds the artifacts, for the error message.
        wanted: runtimes to prefer; the others are considered only where none of these reads one of the formats.

    Raises:
        MissingRuntimeError: no runtime that reads one of the formats is installed.
    """
    readers = [runtime for runtime in every() if runtime.reads in formats]
    preferred = [runtime for runtime in readers if runtime in (wanted or ())]
    chosen = next((runtime for runtime in preferred or readers if runtime.installed), None)
    if chosen is None:
        extras = sorted({runtime.package.extra for runtime in readers})
        raise MissingRuntimeError(
            f"no runtime that can read {subject} is installed",
            got=", ".join(formats) or "no artifact",
            expected="one of " + ", ".join(runtime.name for runtime in readers) if readers else None,
            hint=" or ".join(map(install_command, extras)) or None,
        )
    return chosen


#: The group of the runtimes that import TensorFlow.
TENSORFLOW = "tensorflow"


def group_of(runtime: Runtime) -> str:
    """The name of the group of runtimes that share a worker process because they import the same package."""
    module = runtime.package.module
    return TENSORFLOW if module in ("tensorflow", "keras") else module
