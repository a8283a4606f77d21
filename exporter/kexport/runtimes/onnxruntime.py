"""ONNX Runtime on the CPU."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path

from kexport.bundle.json_files import FieldError
from kexport.bundle.json_text import parse
from kexport.bundle.quantization import AffineQuantization, from_json
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.confinement import most_of_a_call, most_of_a_tensor, out_of_memory
from kexport.errors import ArtifactError, UncheckedError
from kexport.runtimes._integers import converting
from kexport.runtimes._protocols import InferenceSession, NodeArg
from kexport.runtimes._runtime import ArtifactFile, Package, Runtime, by_sample, is_pinned
from kexport.runtimes._session import Opened
from kexport.runtimes.files.onnx import QUANTIZATION, beside, computed_by, details
from kexport.runtimes.files.onnx_graph import graph
from kexport.runtimes.files.onnx_keys import keys
from kexport.runtimes.soundness import SoundOnnx, require_sound_onnx

_DTYPES = frozenset(
    {"bool", "string", "float16", "float32", "float64", "complex64", "complex128"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)
_UNABLE = (
    r"Fatal error: (\S+?)\(-?\d+\) is not a registered function/op",
    r"No Op registered for (\S+) with domain_version",
    r"Could not find an implementation for (\S+?)\(\d+\) node",
)
_MOST_SHAPES = 1024
_FATAL = 4  # the highest severity of its log: errors are raised as well


_NO_MEMORY = "Available memory of"  # how its arena says that its limit is reached


def _session(path: Path, most: int, most_folded: int, *, foldable: bool, optimised: bool = True) -> InferenceSession:
    """Load a file.

    Args:
        path: the file.
        most: the bytes that a call may take.
        most_folded: the bytes that a tensor may have that is computed before any call.
        foldable: whether anything may be computed before.
        optimised: whether its graph may be changed, as by operators of integers in place of quantised ones.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = _FATAL
    options.add_session_config_entry("optimization.constant_folding_max_output_size_in_bytes", str(most_folded))
    options.add_session_config_entry("session.use_env_allocators", "1")
    _register_arena(most)
    session: InferenceSession = onnxruntime.InferenceSession(
        str(path),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=[] if foldable else ["ConstantFolding"],
        enable_fallback=0,  # to the same provider, after a message on standard output
    )
    _register_arena(most)  # or the memory of this session would outlive it
    return session


def _register_arena(most: int) -> None:
    """Give the sessions that are loaded from now on an arena of their own: nothing else limits the memory of one."""
    import onnxruntime

    where = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(where, onnxruntime.OrtArenaCfg({"max_mem": most}))


def _identity(path: Path) -> tuple[int, ...]:
    """What another file at the same path does not have; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


class _Limited:
    """A session whose calls take as much memory as their inputs allow; it is loaded anew where these are larger.

    Args:
        path: the file.
        signature: its inputs and outputs.
        sound: what its check found.
        optimised: whether its graph may be changed.
    """

    def __init__(self, path: Path, signature: Signature, sound: SoundOnnx, *, optimised: bool) -> None:
        self._path, self._sound, self._weights = path, sound, sound.weights
        self._identity = _identity(path)
        self._fitting = set[tuple[tuple[int, ...], ...]]()
        self._inputs = tuple(spec.name for spec in signature.inputs)
        self._outputs = [spec.name for spec in signature.outputs]
        self._folded = most_of_a_tensor(self._weights, 0)
        self._most, self._optimised = most_of_a_call(self._weights, 0), optimised
        self.session = self._loaded(self._most)

    def run(self, arrays: Sequence[Array]) -> Sequence[Array]:
        """The outputs for some inputs."""
        if self._sound.windows is not None:
            self._require_fitting(tuple(array.shape for array in arrays))
        feeds = dict(zip(self._inputs, arrays))  # noqa: B905  checked before
        try:
            return self.session.run(self._outputs, feeds)
        except Exception as error:
            if _NO_MEMORY not in str(error):
                raise
        needed = most_of_a_call(self._weights, sum(array.nbytes for array in arrays))
        if needed <= self._most:
            raise out_of_memory(self._most)
        if _identity(self._path) != self._identity:
            raise ArtifactError(
                f"{self._path.name} was replaced since it was loaded, and larger inputs need it once more",
                hint="load the model again, or with max_bytes, which makes room from the start",
            )
        self.session, self._most = self._loaded(needed), needed
        return self.run(arrays)

    def _loaded(self, most: int) -> InferenceSession:
        return _session(self._path, most, self._folded, foldable=self._sound.foldable, optimised=self._optimised)

    def _require_fitting(self, shapes: tuple[tuple[int, ...], ...]) -> None:
        """Raise `InputError` where an image is too small for a window; of shapes that fit, the last ones are kept."""
        if shapes in self._fitting:
            return
        self._sound.require_fitting(dict(zip(self._inputs, shapes, strict=True)))
        if len(self._fitting) >= _MOST_SHAPES:
            self._fitting.clear()
        self._fitting.add(shapes)


def _open(path: Path, signature: Signature, *, optimised: bool = True) -> Opened:
    sound = require_sound_onnx(path)
    # Unless this is set before, the import resolves host names and writes into the home folder.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    limited = _Limited(path, signature, sound, optimised=optimised)
    session = limited.session
    for node in session.get_inputs():
        if not _dtype(node):
            subject = f"input {node.name!r} of {path.name} is no tensor of a type that NumPy has"
            raise UncheckedError(subject, got=node.type)
    declared = session.get_outputs()
    inputs = tuple(map(_spec, session.get_inputs()))
    opened = Opened(
        by_sample(limited.run) if is_pinned(inputs, signature) else limited.run,
        inputs,
        tuple(node.name for node in declared),
        reentrant=True,
        produced=tuple(_spec(node) for node in declared if _dtype(node)),
        foreign={node.name: _in_words(node, path) for node in declared if not _dtype(node)},
        decided_by_values=sound.decided_by_values,
    )
    return converting(opened, signature, _quantization(session))


def _quantization(session: InferenceSession) -> dict[str, AffineQuantization]:
    """How integer inputs and outputs stand for real numbers; the metadata of a file of ours say it."""
    stated = session.get_modelmeta().custom_metadata_map.get(QUANTIZATION)
    if stated is None:
        return {}
    try:
        return from_json(parse(stated, "the quantization in the file"))
    except FieldError as error:
        raise ArtifactError("the file does not say how its integers stand for real numbers", got=error) from None


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
    file=ArtifactFile("onnx", ".onnx", details=details, beside=beside, keys=keys, graph=graph),
    package=Package("onnxruntime", ("onnxruntime", "onnxruntime-gpu"), extra="onnx", unable=_UNABLE),
    rank=10,
    summary="ONNX Runtime, CPU execution provider",
    opener=_open,
    other_openers={"unoptimised": functools.partial(_open, optimised=False)},
)
