"""The worker processes in which the artifacts of two operands run."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from kexport.bundle.signature import Signature
from kexport.errors import UncheckedError
from kexport.field.comparison.operands import Candidate
from kexport.field.inspection import DeclaredFunction, declaration_of
from kexport.field.remote import ArtifactSource, RemoteSession
from kexport.field.trust import Trust
from kexport.field.workers import RestartingWorker, WorkerPool
from kexport.scratch import temporary_folder


class Sessions:
    """Opens artifacts in worker processes, which end with the block; A and B never share one.

    Args:
        trust: the user code that may run while a `.keras` file is loaded.
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._stack = contextlib.ExitStack()
        self._pools: dict[str, WorkerPool] = {}
        self._folder = Path()

    def __enter__(self) -> Sessions:
        self._folder = self._stack.enter_context(temporary_folder(in_memory=True))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def declared(self, candidate: Candidate) -> Sequence[DeclaredFunction]:
        """The functions of an artifact: what the bundle states, or else what a bare artifact declares.

        Raises:
            UncheckedError: the runtime lacks an operator of a bare artifact.
            BundleError: the runtime cannot load a bare artifact.
            MissingCodeError: a bare artifact needs code that was not given.
        """
        operand = candidate.operand
        if operand.bundle is not None:
            return [DeclaredFunction(operand.bundle.signature)]
        worker, path = self._worker(candidate).worker, operand.home / candidate.artifact
        declaration = declaration_of(worker, path, candidate.runtime, self._trust)
        if declaration.lacking:
            raise UncheckedError(
                f"{path} cannot be compared: {candidate.runtime.name} lacks an operator", got=declaration.lacking
            )
        return declaration.functions

    def open(self, candidate: Candidate, signature: Signature, title: str = "") -> RemoteSession:
        """A session of one of the functions in an artifact; `title` is what reports call that."""
        operand, runtime = candidate.operand, candidate.runtime
        trust = self._trust if operand.bundle is None else self._trust.expecting(operand.bundle.manifest.code)
        source = ArtifactSource(operand.home, candidate.artifact, runtime, signature, trust, title)
        return RemoteSession(source, self._worker(candidate), self._folder, label=f"{operand.name} ({runtime.name})")

    def _worker(self, candidate: Candidate) -> RestartingWorker:
        operand = candidate.operand
        if operand.name not in self._pools:
            confinement = self._trust.confinement(operand.bytes, operand.goldens_bytes, self._folder)
            pool = WorkerPool(confinement=confinement)
            self._pools[operand.name] = self._stack.enter_context(contextlib.closing(pool))
        worker = self._pools[operand.name].worker_for(candidate.runtime)
        assert worker is not None
        return worker
