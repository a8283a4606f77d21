"""What happens in the process of the runtime: replaying, telling the tensors of an artifact, and looking into it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import ArtifactError, KexportError, reason
from kexport.factory.localisation.exposing import _exposure
from kexport.factory.localisation.replay_cases import Case, cases
from kexport.parity.outcome import UNIT_DECIBELS, Outcome
from kexport.parity.outputs import OutputsComparison
from kexport.runtimes import Session

VALUES = "values.npz"


def replay(bundle: str, path: str, runtime: str) -> Iterator[dict[str, Any]]:
    """Of each golden: how many times its limit the worst output is away, where, and what is wrong with each output.

    Raises:
        ArtifactError: the artifact does not run.
    """
    opened, entry = Bundle.open(bundle), runtimes.get(runtime)
    session: Session | None = None
    for index, case in enumerate(cases(opened, entry.accumulation_factor)):
        with _running(path, runtime):
            if session is None or case.before:  # what a session keeps must not come from other cases
                session = entry.open(Path(path), opened.signature)
            results = [session(dict(call)) for call in case.calls][-1]
        yield {"case": index, **judged(opened, case, results)}


@contextlib.contextmanager
def _running(path: str, runtime: str) -> Iterator[None]:
    """Within the block, whatever the runtime raises is an error of the artifact."""
    try:
        yield
    except KexportError:
        raise
    except Exception as error:  # a runtime may raise anything
        raise ArtifactError(f"{Path(path).name} does not run in {runtime}", got=reason(error)) from error


def judged(bundle: Bundle, case: Case, results: Mapping[str, Array]) -> dict[str, Any]:
    """How many times its limit the worst output is away from the truth, in which sample, and what is wrong."""
    score, row = 0.0, 0
    failing = []
    comparison = OutputsComparison(bundle.signature, case.limits)
    comparison.add_golden(case.golden, results)
    for name, outcome in comparison.outcomes().items():
        if excess(outcome) > score:
            score, row = excess(outcome), next(iter(outcome.worst.index if outcome.worst else ()), 0)
        if outcome.ran and outcome.problems:
            failing.append(f"{name}: {'; '.join(outcome.problems)}")
    return {"score": score, "row": row, "failing": failing}


def excess(outcome: Outcome) -> float:
    """How many times the limit the figure is; infinite for what no figure tells."""
    if not outcome.ran or (outcome.figure is None and not outcome.problems):
        return 0.0
    if outcome.figure is None or not math.isfinite(outcome.figure):
        return math.inf
    if outcome.unit == UNIT_DECIBELS:
        return float(10.0 ** ((outcome.limit - outcome.figure) / 20.0))
    if outcome.problems and outcome.figure <= outcome.limit:
        return math.inf  # NaN, infinity, another dtype or shape
    return outcome.figure / outcome.limit if outcome.limit else (math.inf if outcome.figure else 0.0)


def tensors(format_name: str, path: str) -> Iterator[dict[str, Any]]:
    """The tensors of the artifact.

    Raises:
        ArtifactError: the file cannot be read.
    """
    with _running(path, format_name):
        found = list(_exposure.get(format_name).tensors(Path(path)))
    yield from (tensor.to_json() for tensor in found)


def look(
    format_name: str,
    path: str,
    runtime: str,
    signature: Mapping[str, Any],
    feeds: str,
    calls: int,
    keys: Sequence[str],
    alone: bool,
    folder: str,
) -> Iterator[dict[str, Any]]:
    """Run a copy of the artifact that gives these tensors; writes them into `VALUES` of the folder.

    Args:
        format_name: of the artifact.
        path: of the artifact.
        runtime: that runs it.
        signature: of the model, as JSON.
        feeds: an `.npz` with the inputs of each call, as `N/NAME`.
        calls: how many; the last one counts.
        keys: of the tensors.
        alone: whether the copy gives nothing else.
        folder: to write the copy and the values into.

    Raises:
        ArtifactError: the copy does not run.
    """
    exposure = _exposure.get(format_name)
    target = Path(folder) / Path(path).name
    with _running(path, runtime):
        exposure.expose(Path(path), keys, alone, target)
    own = Signature.from_json(signature)
    known = {} if alone else {tensor.key: tensor.output for tensor in exposure.tensors(Path(path)) if tensor.output}
    names = [known.get(key, key) for key in keys]
    outputs = [] if alone else [spec.name for spec in own.outputs]
    wanted = list(dict.fromkeys([*outputs, *names]))
    specs = tuple(TensorSpec(name, "float32", ()) for name in wanted)  # the names alone count for a runtime
    with np.load(feeds, allow_pickle=False) as stored, _running(path, runtime):
        session = runtimes.get(runtime).open(target, Signature(own.inputs, specs))
        for index in range(calls):
            results = session({spec.name: stored[f"{index}/{spec.name}"] for spec in own.inputs})
    real = exposure.real(Path(path))
    arrays = {f"output/{name}": results[name] for name in outputs}
    for index, (key, name) in enumerate(zip(keys, names, strict=True)):
        if isinstance(results[name], np.ndarray) and results[name].dtype.kind in "fiub":
            arrays[f"tensor/{index}"] = real(key, results[name])
    np.savez(Path(folder) / VALUES, allow_pickle=False, **arrays)
    yield {"tensors": len(arrays)}


def read(folder: Path, keys: Sequence[str]) -> tuple[dict[str, Array], dict[str, Array]]:
    """What `look` wrote: the outputs by name, and the tensors by key."""
    with np.load(folder / VALUES, allow_pickle=False) as stored:
        outputs = {name.partition("/")[2]: stored[name] for name in stored if name.startswith("output/")}
        found = {key: stored[f"tensor/{i}"] for i, key in enumerate(keys) if f"tensor/{i}" in stored}
    return outputs, found
