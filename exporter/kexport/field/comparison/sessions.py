"""The worker processes in which the artifacts of two operands run."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType

from kexport.field.comparison.operands import Candidate
from kexport.field.inspection import declaration_of
from kexport.field.remote import ArtifactSource, RemoteSession
from kexport.field.trust import Trust
from kexport.field.workers import WorkerPool
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

    def open(self, candidate: Candidate) -> RemoteSession:
        """A session of an artifact.

        Raises:
            BundleError: the runtime cannot load a bare artifact.
            MissingCodeError: a bare artifact needs code that was not given.
        """
        operand, runtime = candidate.operand, candidate.runtime
        if operand.name not in self._pools:
            confinement = self._trust.confinement(operand.bytes, operand.goldens_bytes, self._folder)
            pool = WorkerPool(confinement=confinement)
            self._pools[operand.name] = self._stack.enter_context(contextlib.closing(pool))
        worker = self._pools[operand.name].worker_for(runtime)
        assert worker is not None
        if operand.bundle is not None:
            signature = operand.bundle.signature
        else:
            path = operand.home / candidate.artifact
            signature = declaration_of(worker.worker, path, runtime, self._trust).signature
        trust = self._trust if operand.bundle is None else self._trust.expecting(operand.bundle.manifest.code)
        source = ArtifactSource(operand.home, candidate.artifact, runtime, signature, trust)
        return RemoteSession(source, worker, self._folder, label=f"{operand.name} ({runtime.name})")
