"""Limits on memory, time and files, and everything else that confines a process."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from kexport.confinement import thread_timer
from kexport.errors import UncheckedError

_GIB = 2**30
#: What a runtime takes by itself, with TensorFlow's 0.5 GB; the stacks of a core's threads; and how often a runtime may
#: hold weights (copied, packed, folded) and what one call takes in and gives out (intermediate values).
_RUNTIME, _PER_CORE, _COPIES_OF_WEIGHTS, _COPIES_OF_DATA = 2 * _GIB, 32 * 2**20, 32, 256
_SMALL_RUNTIME = 3 * _GIB // 4  # of one that takes 0.1 GB by itself
#: Seconds of each core for the loading of an artifact, or for one call: alone, and by megabytes of weights and of data.
#: Long sequences cost most by their size: a loop of TensorFlow takes 30 us for a step of 4 bytes. A slow machine has
#: more, by what importing the runtime took on it.
_SECONDS, _BY_MEGABYTE_OF_WEIGHTS, _BY_MEGABYTE_OF_DATA, _BY_SECOND_OF_IMPORT = 6.0, 1.0, 100.0, 0.5
_MOST_OPEN_FILES = 1024
#: How libraries say that they got no memory.
_NO_MEMORY = re.compile(
    r"bad_alloc|[Oo]ut of memory|OOM when|failed to allocate|cannot allocate|unable to allocate", re.I
)


def seconds_of(weights: int, data: int) -> float:
    """Seconds of each core for one call, from the sizes of artifacts and of its inputs, in bytes."""
    return _SECONDS + _BY_MEGABYTE_OF_WEIGHTS * weights / 1e6 + _BY_MEGABYTE_OF_DATA * data / 1e6


@dataclass(frozen=True)
class Confinement:
    """What a process may use.

    Attributes:
        folders: where it may write.
        memory: bytes that it may allocate.
        seconds: seconds of each core for loading an artifact, or for one call.
        cut_off: whether it is kept from writing elsewhere, from the network and from starting programs.
        beside_data: where a call may take what follows from its own inputs: the bytes that the process may allocate
            beside these; 0 where `memory` is the limit of all calls alike.
    """

    folders: tuple[str, ...]
    memory: int
    seconds: float
    cut_off: bool = True
    beside_data: int = 0

    @classmethod
    def of(cls, weights: int, data: int, *folders: str) -> Confinement:
        """The limits that follow from the sizes of artifacts and of data, in bytes."""
        cores = os.cpu_count() or 1
        memory = _RUNTIME + cores * _PER_CORE + _COPIES_OF_WEIGHTS * weights + _COPIES_OF_DATA * data
        return cls(folders, memory, seconds_of(weights, 0))

    def by_call(self, weights: int, *, tensorflow: bool, max_bytes: int) -> Confinement:
        """The same, where each call may take what follows from its own inputs.

        Args:
            weights: the size of the artifacts, in bytes.
            tensorflow: whether TensorFlow runs them, which takes more by itself.
            max_bytes: what any call may take, if it is more.
        """
        runtime = _RUNTIME if tensorflow else _SMALL_RUNTIME
        beside = runtime + (os.cpu_count() or 1) * _PER_CORE + _COPIES_OF_WEIGHTS * weights
        return replace(self, beside_data=max(beside, max_bytes))

    def writing_to(self, folder: str) -> Confinement:
        """The same, with one more folder where it may write, if there is one."""
        return replace(self, folders=(*self.folders, folder)) if folder else self

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads, in the process."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Confinement:
        """The inverse of `to_json`."""
        return cls(**{**data, "folders": tuple(data["folders"])})


_current: Confinement | None = None  # of this process
_import_seconds: float | None = None  # what this process had used before its first call


def confine(confinement: Confinement) -> None:
    """Confine this process for the rest of its life, as far as the system can; before it starts threads."""
    global _current
    _current = confinement
    if os.name == "posix":
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        _limit_resources(confinement)
    if not confinement.cut_off:
        return
    from kexport.confinement import landlock, seccomp  # a process that is not confined needs neither

    with contextlib.suppress(OSError):  # `lacking` says so
        if landlock.version():
            landlock.write_only_below(confinement.folders)
    with contextlib.suppress(OSError):
        if seccomp.known():
            seccomp.refuse_network_and_programs()


def narrow(limits: Mapping[str, Any]) -> Iterator[None]:
    """Lower what this process may use, which was confined before that was known: the task of a worker process.

    Args:
        limits: a confinement as JSON; its memory and time count.
    """
    global _current
    narrower = Confinement.from_json(limits)
    assert _current is not None
    _current = replace(narrower, folders=_current.folders, cut_off=_current.cut_off)
    if os.name == "posix":
        _limit_resources(_current)
    yield from ()


def is_confined() -> bool:
    """Whether this process is confined."""
    return _current is not None


def lacking() -> list[str]:
    """What this system cannot keep a process from, in words."""
    from kexport.confinement import landlock, seccomp

    found = []
    if not landlock.version():
        found.append("write files")
    if not seccomp.known():
        found.append("use the network")
    return found


def _limit_resources(confinement: Confinement) -> None:
    import resource

    # Not the address space: TensorFlow reserves much more of it than it uses.
    limits = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": confinement.memory, "RLIMIT_NOFILE": _MOST_OPEN_FILES}
    if sys.platform == "linux":
        limits["RLIMIT_DATA"] = confinement.memory
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # where memory runs out all the same, this process goes first
    for name, value in limits.items():
        kind = getattr(resource, name)
        soft, hard = resource.getrlimit(kind)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        lowered = most if soft == resource.RLIM_INFINITY else min(soft, most)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (lowered, most))


@contextlib.contextmanager
def limited(data: int = 0, calls: int = 1) -> Iterator[None]:
    """Within the block, a confined process has its time for some calls; its end kills it. Others have no limit.

    Args:
        data: the bytes that a call takes.
        calls: how many.

    Raises:
        UncheckedError: a library got no more memory.
    """
    if _current is None:
        yield
        return
    most = _current.memory
    if _current.beside_data:
        most = min(most, _current.beside_data + _COPIES_OF_DATA * data)
        _allow(most)
    _arm(calls * (_current.seconds + _BY_MEGABYTE_OF_DATA * data / 1e6))
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
            raise out_of_memory(most) from error
        raise
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, 0)
            thread_timer.arm(0)


def _allow(memory: int) -> None:
    """Let this process allocate so many bytes from now on, within the limit of its life."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        lowered = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (lowered, hard))


def _arm(seconds: float) -> None:
    """Have this process killed when its threads have used so many seconds of each core, or this thread as many.

    A runtime computes on the thread that calls it, beside others of its own: a loop on it alone ends as early on many
    cores. TensorFlow leaves all to other threads, whose sum counts.
    """
    global _import_seconds
    if _import_seconds is None:
        _import_seconds = time.process_time()
    if hasattr(signal, "setitimer"):
        allowed = seconds + _BY_SECOND_OF_IMPORT * _import_seconds
        signal.setitimer(signal.ITIMER_PROF, allowed * (os.cpu_count() or 1))
        thread_timer.arm(allowed)


def out_of_memory(memory: int) -> UncheckedError:
    """The error for a call that got no more memory."""
    return UncheckedError(
        f"a call took more memory than the {memory / _GIB:.1f} GB that it may take",
        hint="max_bytes raises the limit; if you trust the model, --trust lifts it",
    )


def ended_by_limit(status: int, log: str, confinement: Confinement | None) -> str | None:
    """Which limit ended a process, from its exit status and the end of what it wrote; None for another cause."""
    if confinement is None or os.name != "posix":
        return None
    if status == -signal.SIGPROF:
        return (
            f"a call did not end within {confinement.seconds:.0f} s of each processor core, and more for large inputs; "
            "give more with --max-seconds, or lift the limit with --trust"
        )
    if status < 0 and _NO_MEMORY.search(log):
        return out_of_memory(confinement.beside_data or confinement.memory).subject + "; --trust lifts the limit"
    return None
