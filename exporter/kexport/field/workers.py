"""The worker processes of runtimes, which start again after a crash."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping

from kexport import runtimes
from kexport.confinement import Confinement, lacking
from kexport.process import Worker, WorkerCrashError
from kexport.runtimes import Runtime

#: Makes a worker process that is confined so.
Maker = Callable[[Confinement | None], Worker]
_CHECKS = "kexport.field.verification.runtime_checks"  # what these processes will do


class RestartingWorker:
    """A worker process that is started again after something kills it.

    Args:
        module: the one that its runtimes import.
        worker: a process that runs already, in place of a new one.
        confinement: what new processes may use.
        make: makes a new process with that; by default one that imports the module.
    """

    def __init__(
        self,
        module: str,
        worker: Worker | None = None,
        confinement: Confinement | None = None,
        make: Maker | None = None,
    ) -> None:
        self._module = module
        self._confinement = confinement
        self._make = make
        self._worker = worker or self._started()
        self._dead: list[Worker] = []  # kept open: other sessions may not have read that theirs died
        if worker is not None and worker.alive and confinement is not None:
            with contextlib.suppress(WorkerCrashError):  # a dead one is replaced
                worker.narrow(confinement)

    @property
    def worker(self) -> Worker:
        """A process that is alive."""
        if not self._worker.alive:
            self._dead.append(self._worker)
            self._worker = self._started()
        return self._worker

    def _started(self) -> Worker:
        if self._make is not None:
            return self._make(self._confinement)
        return Worker(preload=[self._module], confinement=self._confinement)

    def close(self) -> None:
        """End the process."""
        for worker in (self._worker, *self._dead):
            worker.close()


@contextlib.contextmanager
def started_early(formats: Collection[str], confinement: Confinement | None) -> Iterator[dict[str, Worker]]:
    """Processes for the runtimes of these formats that need no TensorFlow: they import while this process imports that.

    Args:
        formats: that the runtimes read.
        confinement: what the processes may use; `WorkerPool` narrows it when sizes are known.

    Yields:
        The processes by group, for `WorkerPool`.
    """
    able = [each for each in runtimes.every() if each.installed and each.reads in formats]
    modules = {runtimes.group_of(each): each.package.module for each in able}
    modules.pop(runtimes.TENSORFLOW, None)
    with contextlib.ExitStack() as stack:
        yield {
            group: stack.enter_context(contextlib.closing(Worker([module, _CHECKS], confinement=confinement)))
            for group, module in modules.items()
        }


class WorkerPool:
    """One worker process for each group of runtimes that import the same package.

    Args:
        started: processes that run already, by group; those that are used end with the pool.
        in_process: names of the runtimes that run in this process.
        confinement: what new processes may use; None for whatever this one may.
        makers: by group, what makes its processes.
    """

    def __init__(
        self,
        started: Mapping[str, Worker] | None = None,
        in_process: Collection[str] = (),
        confinement: Confinement | None = None,
        makers: Mapping[str, Maker] | None = None,
    ) -> None:
        self._confinement = confinement
        self._makers = makers or {}
        self._started = dict(started or {})
        self._in_process = frozenset(in_process)
        self._workers: dict[str, RestartingWorker] = {}

    def worker_for(self, runtime: Runtime) -> RestartingWorker | None:
        """The process of the runtime, started by the first call for its group; None for this process."""
        if runtime.name in self._in_process:
            return None
        group = runtimes.group_of(runtime)
        if group not in self._workers:
            self._workers[group] = RestartingWorker(
                runtime.package.module, self._started.get(group), self._confinement, self._makers.get(group)
            )
        return self._workers[group]

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers.values():
            worker.close()


def unconfined() -> list[str]:
    """A note on what this system could not keep the worker processes from, if there is such."""
    found = lacking()
    return [f"this system cannot keep what runs of a bundle from these: to {' or '.join(found)}"] if found else []
