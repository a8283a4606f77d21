"""Tasks of the process that loads the runtime: replaying an artifact, listing its tensors, and observing them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np

from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.bundle.json_text import JsonObject
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import ArtifactError, KexportError, reason
from kexport.factory.localisation import intermediates
from kexport.factory.localisation.excess import excess
from kexport.factory.localisation.replay_cases import ReplayCase, replay_cases
from kexport.parity.outputs import OutputsComparison
from kexport.runtimes import Session

FEEDS, VALUES = "feeds.npz", "values.npz"


class ArtifactJson(TypedDict):
    """An artifact on its way to the worker: its path, its format, and the runtime that runs it."""

    path: str
    format: str
    runtime: str


class OutputProblem(TypedDict):
    """What is wrong with one output."""

    output: str
    problem: str


class ReplayResult(TypedDict):
    """How far the outputs of one case are from the truth.

    Attributes:
        case: its index among the replay cases.
        score: the distance of the worst output, as a multiple of its limit.
        row: the sample in which the worst output has its largest distance.
        problems: one for each output that is wrong.
        unjudged: the outputs of which nothing can be concluded here.
    """

    case: int
    score: float
    row: int
    problems: list[OutputProblem]
    unjudged: list[str]


def replay(bundle: str, artifact: ArtifactJson) -> Iterator[ReplayResult]:
    """Run the artifact on every replay case of the bundle, and compare its outputs with the truth.

    Raises:
        ArtifactError: the artifact does not run.
    """
    opened, runtime = Bundle.open(bundle), runtimes.get(artifact["runtime"])
    session: Session | None = None
    own = [each.limits for each in opened.manifest.artifacts if opened.path / each.path == Path(artifact["path"])]
    for index, case in enumerate(replay_cases(opened, runtime.accumulation_factor, *own)):
        with _running(artifact):
            if session is None or case.before:  # what a session keeps must not come from other cases
                session = runtime.open(Path(artifact["path"]), opened.signature)
            results = [session(dict(call)) for call in case.calls][-1]
        yield compared(opened, case, results, index)


@contextlib.contextmanager
def _running(artifact: ArtifactJson) -> Iterator[None]:
    """Within the block, whatever the runtime raises is an error of the artifact."""
    try:
        yield
    except KexportError:
        raise
    except Exception as error:  # a runtime may raise anything
        name = Path(artifact["path"]).name
        raise ArtifactError(f"{name} does not run in {artifact['runtime']}", got=reason(error)) from error


def compared(bundle: Bundle, case: ReplayCase, results: Mapping[str, Array], index: int = 0) -> ReplayResult:
    """The outputs that an artifact computed for the case of this index, compared with the truth."""
    score, row = 0.0, 0
    problems: list[OutputProblem] = []
    unjudged = []
    comparison = OutputsComparison(bundle.signature, case.limits)
    comparison.add_golden(case.golden, results)
    for name, outcome in comparison.outcomes().items():
        if excess(outcome) > score:
            score, row = excess(outcome), next(iter(outcome.worst.index if outcome.worst else ()), 0)
        if not outcome.ran:
            unjudged.append(name)
        elif outcome.problems:
            problems.append({"output": name, "problem": "; ".join(outcome.problems)})
    return {"case": index, "score": score, "row": row, "problems": problems, "unjudged": unjudged}


def tensors(artifact: ArtifactJson) -> Iterator[JsonObject]:
    """The tensors of the artifact.

    Raises:
        ArtifactError: the file cannot be read.
    """
    with _running(artifact):
        listed = list(intermediates.get(artifact["format"]).tensors(Path(artifact["path"])))
    yield from (tensor.to_json() for tensor in listed)


def observe(
    artifact: ArtifactJson, signature: JsonObject, calls: int, keys: Sequence[str], alone: bool, folder: str
) -> Iterator[int]:
    """Run a copy of the artifact that outputs these tensors; writes them into `VALUES` of the folder.

    Args:
        artifact: the artifact to copy.
        signature: the signature of the model, as JSON.
        calls: how many to make with the inputs `N/NAME` in `FEEDS` of the folder; the last one's results are written.
        keys: the keys of the tensors.
        alone: whether the copy outputs nothing else.
        folder: for the copy, its inputs and the values.

    Yields:
        The number of arrays that were written.

    Raises:
        ArtifactError: the copy does not run.
    """
    exposure, path = intermediates.get(artifact["format"]), Path(artifact["path"])
    target = Path(folder) / path.name
    with _running(artifact):
        exposure.expose(path, keys, alone, target)
    whole = Signature.from_json(signature)
    renamed = {} if alone else {tensor.key: tensor.output for tensor in exposure.tensors(path) if tensor.output}
    names = [renamed.get(key, key) for key in keys]
    outputs = [] if alone else [spec.name for spec in whole.outputs]
    wanted = list(dict.fromkeys([*outputs, *names]))
    specs = tuple(TensorSpec(name, "float32", ()) for name in wanted)  # a runtime looks at the names alone
    with np.load(Path(folder) / FEEDS, allow_pickle=False) as stored, _running(artifact):
        session = runtimes.get(artifact["runtime"]).open(target, Signature(whole.inputs, specs))
        for index in range(calls):
            results = session({spec.name: stored[f"{index}/{spec.name}"] for spec in whole.inputs})
    real = exposure.real(path)
    arrays = {f"output/{name}": results[name] for name in outputs}
    for index, (key, name) in enumerate(zip(keys, names, strict=True)):
        if isinstance(results[name], np.ndarray) and results[name].dtype.kind in "fiub":
            arrays[f"tensor/{index}"] = real(key, results[name])
    np.savez(Path(folder) / VALUES, allow_pickle=False, **arrays)
    yield len(arrays)


def read_values(folder: Path, keys: Sequence[str]) -> tuple[dict[str, Array], dict[str, Array]]:
    """What `observe` wrote: the outputs by name, and the tensors by key."""
    with np.load(folder / VALUES, allow_pickle=False) as stored:
        outputs = {name.partition("/")[2]: stored[name] for name in stored if name.startswith("output/")}
        values = {key: stored[f"tensor/{i}"] for i, key in enumerate(keys) if f"tensor/{i}" in stored}
    return outputs, values
