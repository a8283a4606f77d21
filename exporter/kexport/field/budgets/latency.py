"""The time of a call: two artifacts in one process, called in turns, so that what slows one slows the other too."""

from __future__ import annotations

import contextlib
import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np

from kexport import runtimes
from kexport.bundle import npz
from kexport.bundle.folder import Bundle
from kexport.bundle.json_text import JsonObject
from kexport.bundle.signature import Array, Signature
from kexport.field.workers import WorkerPool
from kexport.runtimes import Runtime
from kexport.scratch import temporary_folder

_BLOCK = 2e-4  # seconds: shorter calls are timed several at a time
_WARM_UP = 0.1  # seconds for each artifact
_FEWEST, _SECONDS, _MOST_SECONDS = 31, 1.0, 5.0  # pairs; how long to measure, and where the limit is near
_TIMEOUT = 600.0
_Call = Callable[[], object]


@dataclass(frozen=True)
class Latency:
    """The times of calls.

    Attributes:
        small: the median of the artifact, in seconds.
        wide: the median of that in float32, in seconds.
        ratio: the median of the ratio of each pair.
        ratio_interval: where the median of infinitely many such pairs is, by a confidence of 95 %.
        small_interval: the same of the artifact's own times.
        pairs: how many pairs of calls were timed.
    """

    small: float
    wide: float
    ratio: float
    ratio_interval: tuple[float, float]
    small_interval: tuple[float, float]
    pairs: int


class _Times(TypedDict):
    """What the process answers: the times of one call, in seconds, pair by pair."""

    wide: list[float]
    small: list[float]


def measure_latency(
    bundle: Bundle, runtime: Runtime, paths: tuple[str, str], limit: float, *, relative: bool
) -> Latency:
    """Time one artifact against another.

    Args:
        bundle: the bundle that holds both.
        runtime: the runtime of both.
        paths: the artifact in float32, and the one that is judged.
        limit: the budget, as a ratio, or in seconds; near it more pairs are timed.
        relative: whether it is a ratio.

    Raises:
        KexportError: one of them cannot be loaded.
        WorkerCrashError: the process died.
        RuntimeError: the runtime fails.
    """
    with temporary_folder() as folder, contextlib.closing(WorkerPool()) as pool:
        feeds = Path(folder) / "feeds.npz"
        npz.write(feeds, one_sample(bundle))
        restarting = pool.worker_for(runtime)
        assert restarting is not None
        worker = restarting.worker
        worker.submit(
            f"{__name__}:{serve.__name__}",
            paths=[str(bundle.path / path) for path in paths],
            runtime=runtime.name,
            signature=bundle.signature.to_json(),
            feeds=str(feeds),
            limit=limit,
            relative=relative,
        )
        (times,) = worker.results(_TIMEOUT)
    wide, small = np.array(times["wide"]), np.array(times["small"])
    ratios = small / wide
    return Latency(
        float(np.median(small)),
        float(np.median(wide)),
        float(np.median(ratios)),
        median_interval(ratios),
        median_interval(small),
        len(ratios),
    )


def one_sample(bundle: Bundle) -> Mapping[str, Array]:
    """The first sample of the golden with the largest samples: a device serves one at a time."""
    free = all(spec.shape and spec.shape[0] in (None, 1) for spec in bundle.signature.inputs)
    chosen: Mapping[str, Array] = {}
    for golden in bundle.goldens(checked=True):
        sample = {name: value[:1] if free else value for name, value in golden.inputs.items()}
        if sum(each.size for each in sample.values()) > sum(each.size for each in chosen.values()):
            chosen = sample
    return chosen


def median_interval(values: Array) -> tuple[float, float]:
    """The interval of a median by order statistics, with a confidence of 95 %: any distribution, independent values.

    Source: Conover, Practical Nonparametric Statistics, 3rd edition, section 3.2; with the normal approximation of the
    binomial distribution.
    """
    ordered = np.sort(values)
    reach = 1.96 * math.sqrt(len(ordered)) / 2
    low = max(0, math.floor(len(ordered) / 2 - reach))
    high = min(len(ordered) - 1, math.ceil(len(ordered) / 2 + reach))
    return float(ordered[low]), float(ordered[high])


def serve(
    paths: Sequence[str], runtime: str, signature: JsonObject, feeds: str, limit: float, relative: bool
) -> Iterator[_Times]:
    """Time calls of two artifacts in this process; the arguments are those of `measure_latency`."""
    interface = Signature.from_json(signature)
    with np.load(feeds, allow_pickle=False) as stored:
        inputs = {name: stored[name] for name in stored.files}
    calls = [_call(runtime, Path(path), interface, inputs) for path in paths]
    repeats = [_warmed_up(call) for call in calls]
    times: tuple[list[float], list[float]] = ([], [])
    began = time.perf_counter()
    gc.disable()
    try:
        while not _enough(times, time.perf_counter() - began, limit, relative):
            order = (0, 1) if len(times[0]) % 2 else (1, 0)
            for each in order:
                times[each].append(_timed(calls[each], repeats[each]))
    finally:
        gc.enable()
    yield {"wide": times[0], "small": times[1]}


def _call(name: str, path: Path, signature: Signature, inputs: Mapping[str, Array]) -> _Call:
    """What is timed: the runtime alone, with the conversion of integer inputs and outputs, if there are such."""
    session = runtimes.get(name).open(path, signature)
    run, arrays = session.opened.run, signature.check(inputs)
    return lambda: run(arrays)


def _timed(call: _Call, repeats: int) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - began) / repeats


def _warmed_up(call: _Call) -> int:
    """Call until caches are warm; how many calls make a block that the clock resolves."""
    began, calls = time.perf_counter(), 0
    while calls < 2 or time.perf_counter() - began < _WARM_UP:
        call()
        calls += 1
    return max(1, round(_BLOCK / _timed(call, 1)))


def _enough(times: tuple[list[float], list[float]], seconds: float, limit: float, relative: bool) -> bool:
    """Whether to end: after some pairs and a while, which is longer where the limit lies within the noise."""
    if seconds >= 10 * _MOST_SECONDS:
        return len(times[0]) >= 2
    if len(times[0]) < _FEWEST or seconds < _SECONDS:
        return False
    if seconds >= _MOST_SECONDS:
        return True
    low, high = median_interval(np.array(times[1]) / (np.array(times[0]) if relative else 1.0))
    return not low <= limit <= high
