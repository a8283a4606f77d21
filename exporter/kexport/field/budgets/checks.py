"""The checks of budgets: metric, size and latency of every artifact in a small precision. Noise is judged elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kexport import runtimes
from kexport.bundle.budgets import Amount, Budgets
from kexport.bundle.folder import Bundle
from kexport.bundle.manifest import Artifact
from kexport.bundle.report import Check, CheckKind, Measurement, Subject
from kexport.errors import KexportError
from kexport.field.budgets.latency import Latency, measure_latency
from kexport.field.budgets.metric_drop import drop_check
from kexport.field.budgets.not_judged import not_judged
from kexport.process import WorkerCrashError
from kexport.runtimes import Runtime


def budget_checks(bundle: Bundle, budgets: Budgets, found: Sequence[Check]) -> Iterator[Check]:
    """Judge every artifact with limits of its own; each against the artifact of its format without.

    Args:
        bundle: the bundle.
        budgets: what they must keep.
        found: the checks so far, with the metric of every artifact.
    """
    for artifact in bundle.manifest.artifacts:
        readers = [each for each in runtimes.every() if each.reads == artifact.format and each.installed]
        yield from artifact_checks(bundle, artifact, budgets, found, readers)


def artifact_checks(
    bundle: Bundle, artifact: Artifact, budgets: Budgets, found: Sequence[Check], readers: Sequence[Runtime]
) -> Iterator[Check]:
    """Judge one artifact against that of its format in float32; nothing where it is that itself, or there is none.

    Latency is measured in the best runtime, the one that `kexport.load` takes, while nothing else of ours runs.

    Args:
        bundle: the bundle.
        artifact: one of it.
        budgets: what it must keep.
        found: the checks so far, with the metric of every artifact.
        readers: the runtimes in which it is judged, the best first.
    """
    wide = {each.format: each for each in bundle.manifest.artifacts if not each.limits}
    if not artifact.limits or artifact.format not in wide:
        return
    reference = wide[artifact.format]
    if budgets.size is not None:
        yield _size_check(budgets.size, artifact, reference)
    if budgets.drop is not None:
        for runtime in readers:
            sides = (_metric_of(found, each.path, runtime.name) for each in (reference, artifact))
            yield drop_check(budgets.drop, Subject(artifact.path, runtime.name), *sides)
    if budgets.latency is not None:
        for runtime in readers[:1]:
            yield _latency_check(budgets.latency, bundle, runtime, (reference, artifact))


def _metric_of(found: Sequence[Check], path: str, runtime: str) -> Check | None:
    matching = (c for c in found if c.kind is CheckKind.METRIC and (c.artifact, c.runtime) == (path, runtime))
    return next(matching, None)


def _size_check(budget: Amount, artifact: Artifact, wide: Artifact) -> Check:
    share = artifact.bytes / max(1, wide.bytes)
    figure, unit = (share, "x float32") if budget.relative else (float(artifact.bytes), "bytes")
    most = budget.value * (wide.bytes if budget.relative else 1)
    passed = artifact.bytes <= most
    facts = [
        f"got: {artifact.bytes:,} bytes, {share:.3g} x float32 ({wide.bytes:,} bytes)",
        f"expected: at most {int(most):,} bytes ({budget.text})",
    ]
    if not passed:
        facts.append("hint: a smaller precision, or a smaller model; what is no weight takes as much in all of them")
    metrics = {"budget": budget.text, "value": artifact.bytes, "float32": wide.bytes}
    measured = Measurement(figure, budget.value, unit)
    return Check(CheckKind.BUDGET, passed, Subject(artifact.path), measured, tuple(facts), metrics=metrics)


def _latency_check(budget: Amount, bundle: Bundle, runtime: Runtime, sides: tuple[Artifact, Artifact]) -> Check:
    subject = Subject(sides[1].path, runtime.name)
    paths = (sides[0].path, sides[1].path)
    try:
        found = measure_latency(bundle, runtime, paths, budget.value, relative=budget.relative)
    except (KexportError, WorkerCrashError, RuntimeError) as error:
        return not_judged(subject, budget.text, "the calls could not be timed", str(error))
    return _judged(budget, subject, found)


def _judged(budget: Amount, subject: Subject, found: Latency) -> Check:
    figure = found.ratio if budget.relative else found.small
    interval = found.ratio_interval if budget.relative else found.small_interval
    passed = figure <= budget.value
    times = f"{_time(found.small)} a call, {found.ratio:.3g} x float32 ({_time(found.wide)})"
    ends = [f"{end:.3g} x" if budget.relative else _time(end) for end in interval]
    facts = [
        f"got: {times}; medians of {found.pairs} pairs of calls in turns, one sample each",
        f"expected: at most {budget.value:.3g} x float32 ({budget.text})" if budget.relative
        else f"expected: at most {_time(budget.value)} ({budget.text})",
        f"noise: 95 % interval of the median {ends[0]} to {ends[1]}",
    ]  # fmt: skip
    if interval[0] <= budget.value <= interval[1]:
        facts.append("the limit lies within the noise: another measurement may decide otherwise")
    if not passed:
        facts.append("hint: measure on the device that serves: its kernels, and what else runs there, decide")
    metrics = {
        "budget": budget.text,
        "value": found.small,
        "float32": found.wide,
        "ratio": found.ratio,
        "interval": list(interval),
        "pairs": found.pairs,
    }
    measured = Measurement(figure, budget.value, "x float32" if budget.relative else "s")
    return Check(CheckKind.BUDGET, passed, subject, measured, tuple(facts), metrics=metrics)


def _time(seconds: float) -> str:
    """A time as people read it."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"
