"""Whether an artifact declares the inputs and outputs that the manifest states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from kexport.bundle.report import Check, CheckKind
from kexport.bundle.signature import TensorSpec
from kexport.field.verification.artifact_in_runtime import ArtifactInRuntime
from kexport.runtimes import Opened


def check_signature(tested: ArtifactInRuntime, opened: Opened) -> Check:
    """Compare names, order, dtypes and shapes of inputs, and names and order of outputs, with the manifest."""
    signature = tested.bundle.signature
    inputs: Sequence[TensorSpec] = opened.inputs
    pinned = tested.artifact.details.get("pinned")
    if pinned:
        inputs = [_unpinned(spec, pinned["batch"]) for spec in inputs]
    outputs = list(opened.outputs)
    expected_outputs = [spec.name for spec in signature.outputs]
    if not opened.ordered:
        order = {spec.name: index for index, spec in enumerate(signature.inputs)}
        inputs = sorted(inputs, key=lambda spec: order.get(spec.name, len(order)))
        outputs, expected_outputs = sorted(outputs), sorted(expected_outputs)
    problems = [
        f"input {_text(got)} instead of {_text(expected)}"
        for got, expected in zip_longest(inputs, signature.inputs)
        if got is None or expected is None or (got != expected and got != _as_stored(expected))
    ]
    if outputs != expected_outputs:
        problems.append(f"outputs {', '.join(outputs)} instead of {', '.join(expected_outputs)}")
    return Check(CheckKind.SIGNATURE, not problems, tested.subject, facts=tuple(problems))


def _unpinned(spec: TensorSpec, batch: int) -> TensorSpec:
    """The input with a dynamic batch if its batch is pinned to this size: samples are then run one by one."""
    return replace(spec, shape=(None, *spec.shape[1:])) if spec.shape[:1] == (batch,) else spec


def _as_stored(spec: TensorSpec) -> TensorSpec:
    """The input as an artifact declares it if NumPy lacks its dtype: bfloat16 as float32."""
    return replace(spec, dtype=spec.numpy_dtype.name) if spec.dtype == "bfloat16" else spec


def _text(spec: TensorSpec | None) -> str:
    return "nothing" if spec is None else f"{spec.name} {spec}"
