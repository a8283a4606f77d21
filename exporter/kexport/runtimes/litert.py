"""LiteRT (the TensorFlow Lite interpreter) with its default kernels, XNNPACK among them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kexport.bundle.quantization import AffineQuantization
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.runtimes._integers import converting
from kexport.runtimes._litert_notice import without_greeting
from kexport.runtimes._protocols import LiteRTInterpreter, TensorDetails
from kexport.runtimes._runtime import ArtifactFile, Package, Runtime, by_sample, is_pinned
from kexport.runtimes._session import Opened
from kexport.runtimes.files.tflite import details, keeps_state
from kexport.runtimes.files.tflite_graph import graph
from kexport.runtimes.files.tflite_keys import keys
from kexport.runtimes.soundness import require_sound_tflite

_UNABLE = (
    r"unresolved custom op: (\w+)",
    r"Node number \d+ \((Flex\w+)\) failed to prepare",
    r"Didn't find op for builtin opcode '(\w+)' version",
)
_NO_DELEGATE = "BUILTIN_REF"
FILE = ArtifactFile("tflite", ".tflite", details=details, keys=keys, keeps_state=keeps_state, graph=graph)
PACKAGE = Package("ai_edge_litert", ("ai-edge-litert",), extra="litert", unable=_UNABLE)


def open_with(resolver: str, path: Path, signature: Signature) -> Opened:
    """Load a `.tflite` file with one of LiteRT's kernel sets, named as in `OpResolverType`."""
    decided = require_sound_tflite(path, reference=resolver == _NO_DELEGATE)
    from ai_edge_litert import interpreter as litert

    interpreter: LiteRTInterpreter = litert.Interpreter(
        model_path=str(path), experimental_op_resolver_type=litert.OpResolverType[resolver]
    )
    names = tuple(interpreter.get_signature_list())
    if signature.name:
        return replace(_function(interpreter, signature, names), decided_by_values=decided)
    declared = interpreter.get_input_details()
    produced = interpreter.get_output_details()
    inputs = _indices([spec.name for spec in signature.inputs], declared)
    outputs = _indices([spec.name for spec in signature.outputs], produced)
    set_tensor, invoke = interpreter.set_tensor, interpreter.invoke
    allocated: list[tuple[int, ...]] | None = None

    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        nonlocal allocated
        shapes = [array.shape for array in arrays]
        if shapes != allocated:
            allocated = None  # stays so when a resize is refused
            for index, shape in zip(inputs, shapes, strict=True):
                interpreter.resize_tensor_input(index, shape)
            with without_greeting() if resolver != _NO_DELEGATE else contextlib.nullcontext():
                interpreter.allocate_tensors()
            allocated = shapes
        for index, array in zip(inputs, arrays, strict=True):
            set_tensor(index, array)
        invoke()
        return [_value(interpreter, index) for index in outputs]

    specs = tuple(map(_spec, declared))
    tensors = {detail["name"]: detail for detail in (*declared, *produced)}
    opened = Opened(
        by_sample(run) if is_pinned(specs, signature) else run,
        specs,
        tuple(detail["name"] for detail in produced),
        produced=tuple(map(_spec, produced)),
        remarks=_remarks(tensors),
        signatures=names,
        decided_by_values=decided,
    )
    return converting(opened, signature, _quantization(tensors))


def _value(interpreter: LiteRTInterpreter, index: int) -> Array:
    """An output. `get_tensor` refuses one that has no elements, such as the boxes of an image that shows nothing."""
    try:
        return interpreter.get_tensor(index)
    except ValueError:
        (detail,) = (each for each in interpreter.get_output_details() if each["index"] == index)
        if 0 not in detail["shape"]:
            raise
        return np.empty(detail["shape"], detail["dtype"])


def _function(interpreter: LiteRTInterpreter, signature: Signature, names: tuple[str, ...]) -> Opened:
    """One of the functions in a file, by the names that its signature gives to inputs and outputs."""
    runner = interpreter.get_signature_runner(signature.name)
    input_names = [spec.name for spec in signature.inputs]

    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        with without_greeting():
            outputs = runner(**dict(zip(input_names, arrays, strict=True)))
        return [outputs[spec.name] for spec in signature.outputs]

    declared = _in_order(runner.get_input_details(), interpreter.get_input_details())
    produced = _in_order(runner.get_output_details(), interpreter.get_output_details())
    inputs, outputs = (
        tuple(replace(_spec(detail), name=name) for name, detail in details.items()) for details in (declared, produced)
    )
    tensors = {**declared, **produced}
    opened = Opened(run, inputs, tuple(produced), produced=outputs, remarks=_remarks(tensors), signatures=names)
    return converting(opened, signature, _quantization(tensors))


def _in_order(by_name: Mapping[str, TensorDetails], graph: Sequence[TensorDetails]) -> dict[str, TensorDetails]:
    """Inputs or outputs of a signature as the file's graph has them, where they are its own."""
    order = {int(detail["index"]): place for place, detail in enumerate(graph)}
    if {int(detail["index"]) for detail in by_name.values()} != set(order):
        return dict(by_name)
    return dict(sorted(by_name.items(), key=lambda item: order[int(item[1]["index"])]))


def _remarks(details: Mapping[str, TensorDetails]) -> dict[str, str]:
    """What the integers of quantised inputs and outputs stand for."""
    remarks = {}
    for name, detail in details.items():
        scale, zero = detail["quantization"]
        if scale:
            remarks[name] = f"stands for {scale:.6g} x (value - {zero})" if zero else f"stands for {scale:.6g} x value"
    return remarks


def _quantization(details: Mapping[str, TensorDetails]) -> dict[str, AffineQuantization]:
    """How integer inputs and outputs stand for real numbers, where all elements of one have one scale."""
    found = {}
    for name, detail in details.items():
        scale, zero = detail["quantization"]
        with contextlib.suppress(ValueError):  # a dtype or numbers that are none of a quantised tensor
            found[name] = AffineQuantization(np.dtype(detail["dtype"]).name, float(scale), int(zero))
    return found


def _indices(names: Sequence[str], details: Sequence[TensorDetails]) -> list[int]:
    """Tensor indices in the order of the names; -1 for a name that the file lacks: the signature's check reports it."""
    by_name = {detail["name"]: int(detail["index"]) for detail in details}
    return [by_name.get(name, -1) for name in names]


def _spec(detail: TensorDetails) -> TensorSpec:
    dtype = "string" if detail["dtype"] is np.bytes_ else np.dtype(detail["dtype"]).name
    shape = tuple(int(size) if size >= 0 else None for size in detail["shape_signature"])
    return TensorSpec(detail["name"], dtype, shape)


def _open(path: Path, signature: Signature) -> Opened:
    return open_with("AUTO", path, signature)


RUNTIME = Runtime(
    name="litert",
    file=FILE,
    package=PACKAGE,
    rank=20,
    summary="LiteRT interpreter, XNNPACK kernels",
    opener=_open,
    accumulation_factor=3.0,
)
