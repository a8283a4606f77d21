"""The worker processes of runtimes, which start again after a crash."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kexport import runtimes
from kexport.process import Worker
from kexport.runtimes import Runtime


class RestartingWorker:
    """A worker process that is started again after something kills it.

    Args:
        module: the one that its runtimes import.
        worker: a process that runs already, in place of a new one.
    """

    def __init__(self, module: str, worker: Worker | None = None) -> None:
        self._module = module
        self._worker = worker or Worker(preload=[module])
        self._dead: list[Worker] = []  # kept open: other sessions may not have read that theirs died

    @property
    def worker(self) -> Worker:
        """A process that is alive."""
        if not self._worker.alive:
            self._dead.append(self._worker)
            self._worker = Worker(preload=[self._module])
        return self._worker

    def close(self) -> None:
        """End the process."""
        for worker in (self._worker, *self._dead):
            worker.close()


class WorkerPool:
    """One worker process for each group of runtimes that import the same package.

    Args:
        started: processes that run already, by group; those that are used end with the pool.
        in_process: names of the runtimes that run in this process.
    """

    def __init__(self, started: Mapping[str, Worker] | None = None, in_process: Collection[str] = ()) -> None:
        self._started = dict(started or {})
        self._in_process = frozenset(in_process)
        self._workers: dict[str, RestartingWorker] = {}

    def worker_for(self, runtime: Runtime) -> RestartingWorker | None:
        """The process of the runtime, started by the first call for its group; None for this process."""
        if runtime.name in self._in_process:
            return None
        group = runtimes.group_of(runtime)
        if group not in self._workers:
            self._workers[group] = RestartingWorker(runtime.package.module, self._started.get(group))
        return self._workers[group]

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers.values():
            worker.close()
