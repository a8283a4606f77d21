"""One loaded model called from eight threads: wrong answers, errors, and throughput against one thread.

    python scripts/benchmark_threads.py [--calls 100000] [--rounds 11] [--runtimes onnxruntime,litert] [BUNDLE]

Each thread makes `--calls` calls with an input of its own, and compares every answer bit by bit with that of one
thread. Throughput is measured in rounds, in which one thread, eight threads, and the bare runtime take turns; of each
the fastest round counts, which what else the machine does disturbs least. LiteRT is measured with an interpreter for
each thread too, which a session does not use: the state of a model would be a thread's, and its memory is taken once a
thread. Exit code 1 when a limit is missed. Needs `kexport[onnx,litert]`, and `kexport[build]` for all runtimes.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

import kexport
import measurements
from kexport import runtimes
from kexport.bundle.signature import Array, Signature
from kexport.runtimes import Session
from kexport.runtimes._turns import Turns

REFERENCE = Path(__file__).parent.parent / "artifacts" / "reference" / "lowpass"
THREADS = 8
SLOWEST_RATIO = 0.9
LOCK_NANOSECONDS = 300
ROUND_SECONDS = 1.0  # many turns of each thread, so that how they begin and end counts little
Call = Callable[[Any], Any]


def questions(signature: Signature) -> list[dict[str, Array]]:
    """One input for each thread, with a shape of its own where a shape is dynamic."""
    random = np.random.default_rng(0)
    return [
        {
            spec.name: random.uniform(
                -1, 1, [size or (1 if axis == 0 else 32 + thread % 2) for axis, size in enumerate(spec.shape)]
            ).astype(spec.numpy_dtype)
            for spec in signature.inputs
        }
        for thread in range(THREADS)
    ]


def faults(session: Session, calls: int) -> tuple[int, int]:
    """How many of the calls of all threads gave a wrong answer, and how many raised an exception."""
    asked = questions(session.signature)
    right = [{name: value.copy() for name, value in session(question).items()} for question in asked]
    wrong, raised = [0] * THREADS, [0] * THREADS

    def ask(thread: int) -> None:
        question, answer = asked[thread], right[thread]
        for _ in range(calls):
            try:
                got = session(question)
            except Exception:  # noqa: BLE001  all of them are counted
                raised[thread] += 1
            else:
                wrong[thread] += any(got[name].tobytes() != value.tobytes() for name, value in answer.items())

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        run_in_threads(ask)
    finally:
        sys.setswitchinterval(interval)
    return sum(wrong), sum(raised)


def run_in_threads(act: Callable[[int], None]) -> None:
    """Run the function in each of the threads, with its number."""
    threads = [threading.Thread(target=act, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Crew:
    """Threads that make calls together, round by round, and end with the block.

    Args:
        calls: what each thread calls, with its own argument.
        arguments: these.
    """

    def __init__(self, calls: Sequence[Call], arguments: Sequence[object]) -> None:
        self.calls = calls
        self.arguments = arguments
        self.each = 0
        self.spans = [(0.0, 0.0)] * len(calls)
        self.gate = threading.Barrier(len(calls) + 1)
        self.threads = [threading.Thread(target=self._work, args=(number,)) for number in range(len(calls))]

    def __enter__(self) -> Crew:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.each = -1
        self.gate.wait()
        for thread in self.threads:
            thread.join()

    def _work(self, number: int) -> None:
        call, argument = self.calls[number], self.arguments[number]
        while True:
            self.gate.wait()
            if self.each < 0:
                return
            start = time.perf_counter()
            for _ in range(self.each):
                call(argument)
            self.spans[number] = start, time.perf_counter()
            self.gate.wait()

    def seconds_per_call(self, calls: int) -> float:
        """The time that so many calls of all threads together take, for one."""
        self.each = max(1, calls // len(self.calls))
        self.gate.wait()
        self.gate.wait()
        # By the threads' own clocks: this one may be kept waiting.
        begun, ended = min(start for start, _ in self.spans), max(end for _, end in self.spans)
        return (ended - begun) / (self.each * len(self.calls))


def throughput(bundle: Path, name: str, rounds: int) -> dict[str, list[float]]:
    """Seconds per call in each round, for each way to call the model."""
    session = kexport.load(bundle, name)
    asked = questions(session.signature)[:1] * THREADS
    arrays = session.signature.check(asked[0])
    session(asked[0])
    once = time.perf_counter()
    session(asked[0])
    calls = max(THREADS, int(ROUND_SECONDS / (time.perf_counter() - once)))
    ways: dict[str, Crew] = {
        "raw": Crew([session.opened.run], [arrays]),
        "one": Crew([session], asked[:1]),
        "eight": Crew([session] * THREADS, asked),
    }
    if name == "litert":
        own = [kexport.load(bundle, name) for _ in range(THREADS)]
        ways["own"] = Crew(own, asked)
    measured: dict[str, list[float]] = {way: [] for way in ways}
    with ExitStack() as stack:
        crews = {way: stack.enter_context(crew) for way, crew in ways.items()}
        for crew in crews.values():
            crew.seconds_per_call(calls)
        for _ in range(rounds):
            for way, crew in crews.items():
                measured[way].append(crew.seconds_per_call(calls))
    return measured


def ratio(measured: dict[str, list[float]], way: str, to: str) -> float:
    """How many times as fast one way is as another, by the fastest round of each."""
    return min(measured[to]) / min(measured[way])


def lock_cost(rounds: int = 401, calls: int = 500) -> float:
    """What taking turns adds to a call, in nanoseconds: a function that does nothing, called with and without."""
    turns = Turns(together=False)

    def seconds(act: Call) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            act(())
        return (time.perf_counter() - start) / calls

    def nothing(arrays: Sequence[Array]) -> Sequence[Array]:
        return arrays

    pairs = [
        (seconds(lambda arrays: turns.run(nothing, arrays)), seconds(lambda arrays: nothing(arrays)))
        for _ in range(rounds)
    ]
    return (min(pair[0] for pair in pairs) - min(pair[1] for pair in pairs)) * 1e9


def main() -> int:
    """Measure, print a table, and return the exit code."""
    options = measurements.parser(__doc__)
    options.add_argument("bundle", nargs="?", type=Path, default=REFERENCE)
    options.add_argument("--calls", type=int, default=100_000, help="of each thread (%(default)s)")
    options.add_argument("--rounds", type=int, default=11, help="of the throughput (%(default)s)")
    options.add_argument("--runtimes", default=",".join(runtime.name for runtime in runtimes.every()))
    given = options.parse_args()
    measurements.quiet_environment()
    missed = []
    cost = lock_cost()
    print(f"a lock costs {cost:.0f} ns a call, of {LOCK_NANOSECONDS} allowed; {os.cpu_count()} cores")
    missed += ["the cost of a lock"] * (cost > LOCK_NANOSECONDS)
    print(f"{'runtime':<18}{'calls':>9}{'wrong':>7}{'raised':>8}{'us, one':>9}{'8 to 1':>8}{'1 to raw':>10}", end="")
    print(f"{'own, 8 to 1':>13}")
    for name in given.runtimes.split(","):
        wrong, raised = faults(kexport.load(given.bundle, name), given.calls)
        measured = throughput(given.bundle, name, given.rounds)
        eight = ratio(measured, "eight", "one")
        own = f"{ratio(measured, 'own', 'one'):>13.2f}" if "own" in measured else ""
        print(
            f"{name:<18}{THREADS * given.calls:>9}{wrong:>7}{raised:>8}{min(measured['one']) * 1e6:>9.1f}"
            f"{eight:>8.2f}{ratio(measured, 'one', 'raw'):>10.2f}{own}",
            flush=True,
        )
        missed += [f"{name}: faults"] * bool(wrong + raised) + [f"{name}: throughput"] * (eight < SLOWEST_RATIO)
    print("missed: " + ", ".join(missed) if missed else "within all limits")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
