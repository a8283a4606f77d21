"""Children of this process, which do the operations: a death, a hang or a trespass ends one of them, and is seen."""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import json
import os
import resource
import selectors
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mutation_cases import _operations
from mutation_cases._mutation import Files, Mutation, files_of
from mutation_cases._watch import Watch

COMPANY = 60  # mutations that one child takes, where it starts no process of its own
MOST_MEMORY = 1 << 30  # bytes
_GUARD = 6 << 30  # bytes of address space beyond what the child starts with: the machine is not to suffer


@dataclass(frozen=True)
class Outcome:
    """What became of a mutation.

    Attributes:
        number: of the mutation.
        verdict: how its operation ended.
        told: with what.
        what: what was changed.
        seconds: how long it took.
    """

    number: int
    verdict: str
    told: str
    what: str
    seconds: float


class _Child:
    """A process that takes mutations one after another.

    Args:
        mutations: those to take.
        folder: for its files.
        chosen: which changes of the mutations; all by default.
    """

    def __init__(self, mutations: Sequence[Mutation], folder: Path, chosen: Sequence[int] | None, limit: float) -> None:
        self.waiting, self.folder = list(mutations), folder
        self.since = time.monotonic()
        reading, writing = os.pipe()
        sys.stdout.flush()
        self.process = os.fork()
        if self.process == 0:
            os.close(reading)
            try:
                _work(mutations, folder, chosen, limit, os.fdopen(writing, "w"))
            except BaseException:  # noqa: BLE001  a mistake of ours, which must not look like the product's
                import traceback

                traceback.print_exc(file=sys.__stderr__)
                os._exit(99)
        os.close(writing)
        self.pipe, self._buffer = reading, b""

    def outcomes(self) -> tuple[list[Outcome], bool]:
        """The outcomes that can be read now, and whether these are the last."""
        block = os.read(self.pipe, 1 << 16)
        *lines, self._buffer = (self._buffer + block).split(b"\n")
        self.since = time.monotonic() if lines else self.since
        found = [Outcome(**json.loads(line)) for line in lines if line]
        del self.waiting[: len(found)]
        return found, not block

    def end(self) -> str:
        """End it and what it started; returns how it ended, empty if of itself and in order."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process, signal.SIGKILL)
        os.close(self.pipe)
        code = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        assert code != 99, f"a mistake of this script: {(self.folder / 'log').read_text()[-2000:]}"
        return "" if code == 0 else signal.Signals(-code).name if code < 0 else f"exit {code}"


def _work(mutations: Sequence[Mutation], folder: Path, chosen: Sequence[int] | None, late: float, pipe: Any) -> None:
    os.setsid()
    own = folder / "own"
    (own / "home").mkdir(parents=True, exist_ok=True)
    os.chdir(own)
    os.environ.update(HOME=str(own / "home"), TMPDIR=str(own / "home"), XDG_CACHE_HOME=str(own / "home"))
    tempfile.tempdir = str(own / "home")  # it may be known already
    silent = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    warnings.simplefilter("ignore")
    limit = _status("VmSize") + _GUARD
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _fork_workers()
    watch, ready = Watch(own), set[str]()
    for mutation in mutations:
        files, what = files_of(mutation, chosen)
        base, bundle, watched = mutation.base, own / mutation.base.name, folder / "watched" / mutation.base.name
        if base.name not in ready:  # an earlier child may have died in the middle of a mutation
            _operations.write(dict(base.files), bundle, watched)
            ready.add(base.name)
        with _operations.in_place(files, base, bundle, watched):
            watch.trespasses()  # those of this script
            pipe.write("\n")  # the time of the operation begins
            pipe.flush()
            start = time.monotonic()
            verdict, told = _watched(mutation, files, bundle, watch, late)
        seconds = round(time.monotonic() - start, 4)
        outcome = Outcome(mutation.number, verdict, told, what, seconds)
        pipe.write(json.dumps(asdict(outcome)) + "\n")
        pipe.flush()
        if verdict == "memory":
            break
    os._exit(0)


def _watched(mutation: Mutation, files: Files, bundle: Path, watch: Watch, late: float) -> tuple[str, str]:
    """The judgement of an operation, and of what it did besides."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _peak()
    faulthandler.dump_traceback_later(late * 0.9)
    verdict, told = _operations.judged(mutation, files, bundle)
    faulthandler.cancel_dump_traceback_later()
    if trespasses := watch.trespasses():
        return trespasses[0].partition(":")[0], trespasses[0]
    taken = _peak() - before
    return ("memory", f"{taken >> 20} MB") if taken > MOST_MEMORY else (verdict, told)


def _place_of_hang(folder: Path) -> str:
    """The innermost line of kexport that the main thread was in, from the log."""
    main = (folder / "log").read_text(errors="replace").rpartition("(most recent call first):")[2]
    inside = [line for line in main.splitlines() if "/kexport/" in line]
    return "in " + inside[0].partition("/kexport/")[2].replace('"', "") if inside else ""


def _status(name: str) -> int:
    """A figure of this process, in bytes."""
    text = Path("/proc/self/status").read_text()
    return int(text.partition(f"{name}:")[2].split()[0]) << 10


def _peak() -> int:
    """The most memory that this process has had since it was last set back, or one of those that it started."""
    return max(_status("VmHWM"), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10)


def _fork_workers() -> None:
    """Let worker processes be forked from this one, which has imported everything: only their start is quicker."""
    from kexport import process
    from kexport.field import inspection, isolation, workers

    forked = functools.partial(process.Worker, fork=True)
    for module in (inspection, isolation, workers):
        module.Worker = forked  # type: ignore[attr-defined]


def run(
    mutations: Sequence[Mutation],
    folder: Callable[[int], Path],
    limit: float,
    chosen: Sequence[int] | None = None,
    jobs: int = 1,
    until: float = float("inf"),
) -> Iterator[Outcome]:
    """Take the mutations, each in a child; yields what became of each.

    Args:
        mutations: those to take.
        folder: the folder of a child, by the place that it has among those that run.
        limit: seconds that one may take.
        chosen: which changes of the mutations; all by default.
        jobs: how many children run at a time.
        until: the time at which no further child starts.
    """
    groups, running = list(_groups(mutations))[::-1], dict[int, _Child]()
    with selectors.DefaultSelector() as selector:
        while running or (groups and time.monotonic() < until):
            while groups and len(running) < jobs and time.monotonic() < until:
                place = next(place for place in range(jobs) if place not in running)
                running[place] = _Child(groups.pop(), folder(place), chosen, limit)
                selector.register(running[place].pipe, selectors.EVENT_READ, place)
            ready = {key.data for key, _ in selector.select(0.2)}
            for place, child in list(running.items()):
                found, last = child.outcomes() if place in ready else ([], False)
                yield from found
                late = bool(child.waiting) and time.monotonic() - child.since > limit * _slowness()
                if last or late:
                    selector.unregister(child.pipe)
                    del running[place]
                    why = child.end()
                    if child.waiting and (late or why):
                        first, verdict = child.waiting.pop(0), "hang" if late else "died"
                        told = _place_of_hang(folder(place)) if late else why
                        yield Outcome(first.number, verdict, told, files_of(first, chosen)[1], limit)
                    if child.waiting:
                        groups.append(child.waiting)


def _slowness() -> float:
    """How much longer things take where others use the processors too."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _groups(mutations: Sequence[Mutation]) -> Iterator[list[Mutation]]:
    """The mutations that one child takes: many where it starts no process, for a process with threads cannot fork."""
    company: list[Mutation] = []
    for mutation in mutations:
        bare = mutation.operation == "inspect" and mutation.kind in ("onnx", "tflite", "keras", "saved_model")
        if bare or mutation.operation in ("verify", "compare", "isolated"):
            yield [mutation]
            continue
        company.append(mutation)
        if len(company) == COMPANY:
            yield company
            company = []
    if company:
        yield company
