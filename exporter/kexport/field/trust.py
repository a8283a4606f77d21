"""The user code that may run while a model is loaded: code that registers layers, and bytecode of Lambda layers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from kexport.bundle.signature import Signature
from kexport.runtimes import Runtime, Session
from kexport.user_code import require, run_imports


class TrustJson(TypedDict):
    """A `Trust` on its way to a worker process."""

    imports: list[str]
    allow_lambda: bool


@dataclass(frozen=True)
class Trust:
    """The user code that may run while a `.keras` file is loaded; by default none.

    Attributes:
        imports: files or modules to import first: they register layers, or kinds of contract.
        allow_lambda: whether Lambda layers may be loaded, which runs the bytecode in the file.
    """

    imports: tuple[str, ...] = ()
    allow_lambda: bool = False

    def open(self, runtime: Runtime, path: Path, signature: Signature) -> Session:
        """Load an artifact whose digest the caller has checked; user code runs only for a format that may need it.

        Raises:
            MissingRuntimeError: the runtime is not installed.
            UsageError: an import fails.
        """
        if not runtime.runs_user_code:
            return runtime.open(path, signature)
        with self.granted():
            return runtime.open(path, signature)

    def load_model(self, path: Path) -> Any:
        """Load a `.keras` file into this process, as a `keras.Model`.

        Raises:
            ModelError: the file is damaged, or holds a layer that is not registered or a Lambda that is not allowed.
            UsageError: an import fails.
        """
        from kexport.runtimes.keras_model import load_file

        with self.granted():
            return load_file(path)

    @contextlib.contextmanager
    def granted(self) -> Iterator[None]:
        """Run the imports; within the block, Lambda layers are loaded where this allows them.

        Raises:
            UsageError: an import fails.
        """
        self.run_imports()
        with self.lambdas():
            yield

    @contextlib.contextmanager
    def lambdas(self) -> Iterator[None]:
        """Within the block, Lambda layers are loaded where this allows them; no import runs."""
        from kexport.runtimes.keras_model import allowing_lambda

        with allowing_lambda(self.allow_lambda):
            yield

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
        return {"imports": list(self.imports), "allow_lambda": self.allow_lambda}

    @classmethod
    def from_json(cls, data: TrustJson) -> Trust:
        """The inverse of `to_json`."""
        return cls(tuple(data["imports"]), data["allow_lambda"])


#: No user code runs.
NO_TRUST = Trust()
