"""ONNX Runtime on the CPU."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import UncheckedError
from kexport.runtimes._protocols import InferenceSession, NodeArg
from kexport.runtimes._runtime import ArtifactFile, Package, Runtime
from kexport.runtimes._session import Opened
from kexport.runtimes.files.onnx import beside, computed_by, details
from kexport.runtimes.soundness import require_sound_onnx

_DTYPES = frozenset(
    {"bool", "string", "bfloat16", "float16", "float32", "float64", "complex64", "complex128"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)
_UNABLE = (
    r"Fatal error: (\S+?)\(-?\d+\) is not a registered function/op",
    r"No Op registered for (\S+) with domain_version",
    r"Could not find an implementation for (\S+?)\(\d+\) node",
)
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

    for node in session.get_inputs():
        if not _dtype(node):
            raise UncheckedError(f"input {node.name!r} of {path.name} is no tensor of numbers or texts", got=node.type)
    declared = session.get_outputs()
    return Opened(
        run,
        tuple(map(_spec, session.get_inputs())),
        tuple(node.name for node in declared),
        reentrant=True,
        produced=tuple(_spec(node) for node in declared if _dtype(node)),
        foreign={node.name: _in_words(node, path) for node in declared if not _dtype(node)},
    )


def _dtype(node: NodeArg) -> str:
    """The dtype of a tensor; empty for a sequence, a map, and numbers of a type that arrays cannot have here."""
    element = node.type.removeprefix("tensor(").removesuffix(")")
    dtype = {"float": "float32", "double": "float64"}.get(element, element)
    return dtype if node.type.startswith("tensor(") and dtype in _DTYPES else ""


def _spec(node: NodeArg) -> TensorSpec:
    sizes = tuple(n if isinstance(n, int) else None for n in node.shape)
    return TensorSpec(node.name, _dtype(node), sizes, tuple(n if isinstance(n, str) else "" for n in node.shape))


def _in_words(node: NodeArg, path: Path) -> str:
    operator = computed_by(path).get(node.name)
    return f"{node.type}, computed by {operator}" if operator else node.type


RUNTIME = Runtime(
    name="onnxruntime",
    file=ArtifactFile("onnx", ".onnx", details=details, beside=beside),
    package=Package("onnxruntime", ("onnxruntime", "onnxruntime-gpu"), extra="onnx", unable=_UNABLE),
    rank=10,
    summary="ONNX Runtime, CPU execution provider",
    opener=_open,
)
