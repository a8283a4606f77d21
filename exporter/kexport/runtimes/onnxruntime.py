"""ONNX Runtime on the CPU."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.runtimes._protocols import InferenceSession, NodeArg
from kexport.runtimes._runtime import ArtifactFile, Package, Runtime
from kexport.runtimes._session import Opened
from kexport.runtimes.files.onnx import details
from kexport.runtimes.soundness import require_sound_onnx

_FATAL = 4  # the highest severity of its log: errors are raised as well


def _open(path: Path, signature: Signature) -> Opened:
    require_sound_onnx(path)
    # Unless this is set before, the import resolves host names and writes into the home folder.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL
    session: InferenceSession = onnxruntime.InferenceSession(
        str(path),
        options,
        providers=["CPUExecutionProvider"],
        enable_fallback=0,  # to the same provider, after a message on standard output
    )
    input_names = tuple(spec.name for spec in signature.inputs)
    output_names = [spec.name for spec in signature.outputs]
    run_session = session.run

    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        return run_session(output_names, dict(zip(input_names, arrays)))  # noqa: B905  checked before

    inputs, outputs = (tuple(map(_spec, side)) for side in (session.get_inputs(), session.get_outputs()))
    return Opened(run, inputs, tuple(spec.name for spec in outputs), reentrant=True, produced=outputs)


def _spec(node: NodeArg) -> TensorSpec:
    element = node.type.removeprefix("tensor(").removesuffix(")")
    dtype = {"float": "float32", "double": "float64"}.get(element, element)
    return TensorSpec(node.name, dtype, tuple(n if isinstance(n, int) else None for n in node.shape))


RUNTIME = Runtime(
    name="onnxruntime",
    file=ArtifactFile("onnx", ".onnx", details=details),
    package=Package("onnxruntime", ("onnxruntime", "onnxruntime-gpu"), extra="onnx"),
    rank=10,
    summary="ONNX Runtime, CPU execution provider",
    opener=_open,
)
