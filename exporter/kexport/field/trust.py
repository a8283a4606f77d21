"""What may run while a model is loaded: code that registers layers, bytecode of Lambda layers, any operation."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

from kexport.bundle.code_entry import CodeEntry
from kexport.bundle.json_text import JsonObject
from kexport.bundle.signature import Signature
from kexport.confinement import Confinement
from kexport.errors import MissingCodeError, UsageError, located
from kexport.runtimes import Runtime, Session
from kexport.user_code import require, run_imports


class TrustJson(TypedDict):
    """A `Trust` on its way to a worker process."""

    imports: list[str]
    allow_lambda: bool
    code: Sequence[JsonObject]
    unrestricted: bool
    seconds: float | None
    max_bytes: int


@dataclass(frozen=True)
class Trust:
    """What may run of a model besides what computes its outputs; by default nothing.

    Attributes:
        imports: files or modules to import first: they register layers, or kinds of contract.
        allow_lambda: whether Lambda layers may be loaded, which runs the bytecode in the file.
        code: the code that the bundle was built with, as its manifest records it.
        unrestricted: whether a SavedModel may hold any operation, such as one that writes files, and whether what runs
            has no limits.
        seconds: the time of each processor core for one call, where that is more than follows from the model's size.
        max_bytes: what limits on the sizes of files, and on the memory for what is in them, are raised to.
    """

    imports: tuple[str, ...] = ()
    allow_lambda: bool = False
    code: tuple[CodeEntry, ...] = ()
    unrestricted: bool = False
    seconds: float | None = None
    max_bytes: int = 0

    def confinement(self, weights: int, data: int = 0, *folders: Path) -> Confinement | None:
        """What a process that runs a model may use; None for whatever this process may.

        Args:
            weights: the size of the artifacts, in bytes.
            data: the size of what it computes on and compares with, in bytes.
            folders: where it may write besides its own temporary folder.
        """
        if self.unrestricted:
            return None
        derived = Confinement.of(weights, data, *map(str, folders))
        # The user's own code may write files, and fetch them.
        own_code = bool(self.imports) or self.allow_lambda
        seconds, memory = max(derived.seconds, self.seconds or 0.0), max(derived.memory, self.max_bytes)
        return replace(derived, seconds=seconds, memory=memory, cut_off=not own_code)

    def expecting(self, code: Sequence[CodeEntry]) -> Trust:
        """The same trust, for a bundle whose manifest records this code."""
        return replace(self, code=tuple(code))

    def open(self, runtime: Runtime, path: Path, signature: Signature) -> Session:
        """Load an artifact whose digest the caller has checked; user code runs only for a format that may need it.

        Raises:
            MissingRuntimeError: the runtime is not installed.
            MissingCodeError: code that the artifact needs was not given, or may not run.
            UsageError: an import fails.
        """
        with self.granted() if runtime.runs_user_code else contextlib.nullcontext():
            return runtime.open(path, signature, guarded=not self.unrestricted, max_bytes=self.max_bytes)

    def load_model(self, path: Path) -> Any:
        """Load a `.keras` file into this process, as a `keras.Model`.

        Raises:
            ModelError: the file is damaged, or the code of one of its layers fails.
            MissingCodeError: code that the file needs was not given, or may not run.
            UsageError: an import fails.
        """
        from kexport.runtimes.keras_model import load_file

        with self.granted():
            return load_file(path)

    @contextlib.contextmanager
    def granted(self) -> Iterator[None]:
        """Run the imports; within the block, Lambda layers are loaded where this allows them.

        Raises:
            MissingCodeError: an import needs code that is not here.
            UsageError: an import fails.
        """
        try:
            self.run_imports()
        except UsageError as error:
            if isinstance(error.__cause__, ImportError):
                raise _incomplete(error.subject, error.__cause__) from error
            raise
        with self.lambdas():
            yield

    @contextlib.contextmanager
    def lambdas(self) -> Iterator[None]:
        """Within the block, Lambda layers and SavedModels are loaded where this allows them; no import runs."""
        from kexport.runtimes.keras_model import Grant, granting

        with granting(Grant(self.allow_lambda, self.imports, self.code, self.unrestricted, self.max_bytes)):
            yield

    def differences(self) -> list[str]:
        """Where the code that a `.keras` file was loaded with is not what its bundle was built with, in words."""
        if not self.code:
            return []
        from kexport.field.code_origin import differences
        from kexport.runtimes.keras_model import registered

        return list(differences(self.code, registered(entry.name for entry in self.code)))

    def run_imports(self) -> None:
        """Import each file or module, once a process.

        Raises:
            UsageError: there is no such file or module, or its code fails.
        """
        run_imports(self.imports)

    def require_imports(self) -> None:
        """Raise `UsageError` unless each file or module exists; nothing is run to find out."""
        for name in self.imports:
            require(name)

    def to_json(self) -> TrustJson:
        """What `from_json` reads, in a worker process for one."""
        code = [entry.to_json() for entry in self.code]
        return {
            "imports": list(self.imports),
            "allow_lambda": self.allow_lambda,
            "code": code,
            "unrestricted": self.unrestricted,
            "seconds": self.seconds,
            "max_bytes": self.max_bytes,
        }

    @classmethod
    def from_json(cls, data: TrustJson) -> Trust:
        """The inverse of `to_json`."""
        code = tuple(map(CodeEntry.from_json, data["code"]))
        limits = data["seconds"], data["max_bytes"]
        return cls(tuple(data["imports"]), data["allow_lambda"], code, data["unrestricted"], *limits)


def _incomplete(subject: str, cause: ImportError) -> MissingCodeError:
    """The error for an import that needs code which is not here either."""
    if isinstance(cause, ModuleNotFoundError):
        return MissingCodeError(
            subject.replace(" failed", f" needs the module {cause.name!r}, which is not here"),
            hint="install it, or put its file beside the one that imports it",
        )
    relative = "relative import" in str(cause)
    hint = "it belongs to a package: give the module, --import package.module" if relative else None
    return MissingCodeError(subject, got=located(cause), hint=hint)


#: No user code runs.
NO_TRUST = Trust()
