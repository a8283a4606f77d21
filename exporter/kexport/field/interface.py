"""Where the inputs and outputs that an artifact declares are not those that the manifest states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TypeVar

from kexport.bundle.json_text import JsonObject
from kexport.bundle.manifest import Artifact
from kexport.bundle.quantization import AffineQuantization, from_json
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ArtifactError
from kexport.runtimes import Opened

T = TypeVar("T")


@dataclass(frozen=True)
class Mismatch:
    """A difference.

    Attributes:
        got: what the artifact declares.
        expected: what the manifest states.
    """

    got: str
    expected: str


def declared_signature(data: JsonObject, artifact: str) -> Signature:
    """The signature that an artifact declares, as the process that loaded it tells it.

    Raises:
        ArtifactError: no tensor can have such a dtype or shape.
    """
    return _declared(Signature.from_json, data, artifact)


def declared_quantization(data: JsonObject, artifact: str) -> dict[str, AffineQuantization]:
    """How its integers stand for real numbers, told and raised likewise."""
    return _declared(from_json, data, artifact)


def _declared(read: Callable[[JsonObject], T], data: JsonObject, artifact: str) -> T:
    try:
        return read(data)
    except (TypeError, ValueError) as error:
        raise ArtifactError(
            f"{artifact} declares inputs or outputs that no model can have",
            got=error,
            hint="it was changed or damaged; copy or build it again",
        ) from None


def require_interface(opened: Opened, signature: Signature, artifact: Artifact) -> None:
    """Raise `ArtifactError` unless an artifact declares what the manifest states."""
    problems = mismatches(opened, signature, artifact)
    if problems:
        raise ArtifactError(
            f"{artifact.path} is not the model that the manifest describes",
            got="; ".join(problem.got for problem in problems),
            expected="; ".join(problem.expected for problem in problems),
            hint="one of them was changed after the build; copy or build the bundle again",
        )


def mismatches(opened: Opened, signature: Signature, artifact: Artifact) -> list[Mismatch]:
    """Compare names, order, dtypes and shapes of inputs, and names, order, dtypes and ranks of outputs.

    A file may leave a size of an output open, or the whole shape; a call compares the sizes.
    """
    inputs: Sequence[TensorSpec] = opened.inputs
    pinned = artifact.details.get("pinned")
    if pinned:
        inputs = [_unpinned(spec, pinned["batch"]) for spec in inputs]
    outputs = list(opened.outputs)
    expected_outputs = [spec.name for spec in signature.outputs]
    if not opened.ordered:
        order = {spec.name: index for index, spec in enumerate(signature.inputs)}
        inputs = sorted(inputs, key=lambda spec: order.get(spec.name, len(order)))
        outputs, expected_outputs = sorted(outputs), sorted(expected_outputs)
    problems = [
        Mismatch(f"input {_text(got)}", _text(expected))
        for got, expected in zip_longest(inputs, signature.inputs)
        if got is None or expected is None or (got != expected and got != _as_stored(expected))
    ]
    if opened.quantization != artifact.quantization and artifact.quantization:
        problems.append(Mismatch(_integers(opened.quantization), _integers(artifact.quantization)))
    if outputs != expected_outputs:
        problems.append(Mismatch(f"outputs {', '.join(outputs)}", ", ".join(expected_outputs)))
        return problems
    produced = {spec.name: spec for spec in opened.produced}
    for expected in signature.outputs:
        spec = produced.get(expected.name)
        if spec is not None and not (_same_kind(spec, expected) or _same_kind(spec, _as_stored(expected))):
            problems.append(Mismatch(f"output {_text(spec)}", _text(expected)))
    return problems


def _integers(quantization: Mapping[str, AffineQuantization]) -> str:
    return ", ".join(f"{name} = {each}" for name, each in quantization.items()) or "no scale of integers"


def _same_kind(got: TensorSpec, expected: TensorSpec) -> bool:
    """Whether dtype and rank are the same; an output without axes may be one of unknown shape."""
    return got.dtype == expected.dtype and (not got.shape or len(got.shape) == len(expected.shape))


def _unpinned(spec: TensorSpec, batch: int) -> TensorSpec:
    """The input with a dynamic batch if its batch is pinned to this size: samples are then run one by one."""
    return replace(spec, shape=(None, *spec.shape[1:])) if spec.shape[:1] == (batch,) else spec


def _as_stored(spec: TensorSpec) -> TensorSpec:
    """The input as an artifact declares it if NumPy lacks its dtype: bfloat16 as float32."""
    return replace(spec, dtype=spec.numpy_dtype.name) if spec.dtype == "bfloat16" else spec


def _text(spec: TensorSpec | None) -> str:
    return "nothing" if spec is None else f"{spec.name} {spec}"
