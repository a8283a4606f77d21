"""Files of one operator: those that end the process are refused by name, and their sound twins run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as schema

from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ArtifactError
from kexport.runtimes import get
from kexport.runtimes.soundness import require_sound_tflite

NUMPY = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.BOOL: np.bool_,
    schema.TensorType.INT16: np.int16,
}
F32, I32, I8, U8, F16, BOOL, I16 = NUMPY


@dataclass(frozen=True)
class Operand:
    """A tensor; one without values is an input or output of the model."""

    type: int
    shape: tuple[int, ...]
    values: tuple[float, ...] | None = None
    scales: tuple[float, ...] = ()
    zero_point: int = 0
    sparsity: Any = None


def i8(*shape: int, scale: float = 0.5, zero_point: int = 0) -> Operand:
    return Operand(I8, shape, None, (scale,), zero_point)


def i16(*shape: int) -> Operand:
    return Operand(I16, shape, None, (1.0,))


def f32(*shape: int) -> Operand:
    return Operand(F32, shape)


def whole(*values: int) -> Operand:
    return Operand(I32, (len(values),), values)


def written(path: Path, name: str, inputs: list[Operand], outputs: list[Operand], options: Any = None) -> Path:
    """A model of one operator."""
    model, graph, operator = schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    model.version, model.buffers, graph.tensors = 3, [schema.BufferT()], []
    for operand in (*inputs, *outputs):
        tensor = schema.TensorT()
        tensor.sparsity = operand.sparsity
        tensor.name, tensor.shape, tensor.type = f"t{len(graph.tensors)}", list(operand.shape), operand.type
        if operand.scales:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = list(operand.scales)
            tensor.quantization.zeroPoint = [operand.zero_point] * len(operand.scales)
        if operand.values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.array(operand.values, NUMPY[operand.type]).tobytes(), np.uint8)
            model.buffers.append(buffer)
            tensor.buffer = len(model.buffers) - 1
        graph.tensors.append(tensor)
    operator.inputs = list(range(len(inputs)))
    operator.outputs = list(range(len(inputs), len(graph.tensors)))
    if options is not None:
        operator.builtinOptions = options
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
    graph.inputs = [index for index, operand in enumerate(inputs) if operand.values is None]
    graph.outputs, graph.operators = operator.outputs, [operator]
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
    model.operatorCodes, model.subgraphs = [code], [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())
    return path


def sparse(
    values: int = 3, order: tuple[int, ...] = (0, 1), segments: tuple[int, ...] = (0, 1, 3),
    indices: tuple[int, ...] = (2, 0, 1), size: int = 2, block: int = 0, kind: int = 1,
) -> Operand:  # fmt: skip
    """A matrix of 2 x 3 that is stored without its zeros."""
    about = schema.SparsityParametersT()
    about.traversalOrder, about.blockMap = list(order), [1] if block else []
    about.dimMetadata = [schema.DimensionMetadataT() for _ in order]
    about.dimMetadata[0].denseSize, about.dimMetadata[1].format = size, kind
    if kind:
        lists = [schema.Int32VectorT(), schema.Uint8VectorT()]
        lists[0].values, lists[1].values = list(segments), np.array(indices, np.uint8)
        about.dimMetadata[1].arraySegments, about.dimMetadata[1].arrayIndices = lists
        about.dimMetadata[1].arraySegmentsType = schema.SparseIndexVector.Int32Vector
        about.dimMetadata[1].arrayIndicesType = schema.SparseIndexVector.Uint8Vector
    if block:
        about.dimMetadata[2].denseSize = block
    return Operand(F32, (2, 3), tuple(range(1, values + 1)), sparsity=about)


def options(kind: str, **values: object) -> Any:
    """Options of an operator."""
    made = getattr(schema, f"{kind}OptionsT")()
    for key, value in values.items():
        setattr(made, key, value)
    return made


AXIS = Operand(I32, (), (1,))
STEPS = [whole(0, 0), whole(1, 2), whole(1, 1)]
HANDLE = Operand(schema.TensorType.RESOURCE, ())
POOL = options("Pool2D", strideW=1, strideH=1, filterWidth=1, filterHeight=1)

#: Operator, inputs, outputs and options: as the runtime takes them; then what is replaced, and the words of the error.
CASES: dict[str, tuple[tuple[Any, ...], dict[int, Any], str]] = {
    "a split without options": (
        ("SPLIT", [AXIS, f32(2, 4)], [f32(2, 2)] * 2, options("Split", numSplits=2)), {3: None}, "num_splits"),
    "a list of axes to split along": (
        ("SPLIT", [AXIS, f32(2, 4)], [f32(2, 2)] * 2, options("Split", numSplits=2)),
        {1: [whole(1, 1), f32(2, 4)]}, "one value"),
    "more axes than there are": (
        ("REVERSE_V2", [f32(2, 3), whole(1)], [f32(2, 3)]), {1: [f32(2), whole(0, 1)]}, "axes"),
    "lists that differ in length": (
        ("STRIDED_SLICE", [f32(2, 3), *STEPS], [f32(1, 2)], options("StridedSlice")),
        {1: [f32(2, 3), *STEPS[:2], whole(1)]}, "as many of each"),
    "scales of comparisons": (
        ("EQUAL", [i8(2), i8(2)], [Operand(BOOL, (2,))]), {1: [i8(2), i8(2, scale=1.0)]}, "scales below 1"),
    "no scale in a comparison": (
        ("LESS", [i8(2), i8(2)], [Operand(BOOL, (2,))]), {1: [i8(2), Operand(I8, (2,))]}, "above 0"),
    "scales far apart": (
        ("ADD", [i8(2), i8(2)], [i8(2)], options("Add")), {2: [i8(2, scale=1e-9)]}, "scales of one magnitude"),
    "shapes that differ": (
        ("ADD", [i16(2), i16(2)], [i16(2)], options("Add", potScaleInt16=True)), {1: [i16(2), i16(1)]}, "one shape"),
    "a scale of zero": (
        ("SUB", [i8(2), i8(2)], [i8(2)], options("Sub")), {2: [i8(2, scale=0.0)]}, "above 0"),
    "squares out of scale": (
        ("SQUARED_DIFFERENCE", [i8(2), i8(2)], [i8(2)]), {2: [i8(2, scale=1e-6)]}, "scales of one magnitude"),
    "a scale of no number": (
        ("ABS", [i8(2)], [i8(2)]), {1: [i8(2, scale=float("nan"))]}, "a scale that is none"),
    "a zero point out of range": (("ABS", [i8(2)], [i8(2)]), {1: [i8(2, zero_point=300)]}, "from -128 to 127"),
    "a quantised result of floats": (("QUANTIZE", [f32(2)], [i8(2)]), {2: [f32(2)]}, "the type of tensor 1"),
    "many scales where one is taken": (
        ("QUANTIZE", [f32(2)], [i8(2)]), {2: [Operand(I8, (2,), None, (0.5, 0.5))]}, "one scale"),
    "quantising what is no float32": (
        ("FAKE_QUANT", [f32(2)], [f32(2)], options("FakeQuant", min=-1.0, max=1.0, numBits=8)),
        {1: [Operand(F16, (2,))], 2: [Operand(F16, (2,))]}, "float32"),
    "a diagonal of another type": (
        ("MATRIX_DIAG", [f32(3)], [f32(3, 3)]), {1: [Operand(BOOL, (3,))], 2: [Operand(BOOL, (3, 3))]}, "float32"),
    "a diagonal of another size": (
        ("MATRIX_SET_DIAG", [f32(3, 3), f32(3)], [f32(3, 3)]), {1: [f32(3, 3), f32(2)]}, "the diagonal"),
    "a product of vectors": (
        ("BATCH_MATMUL", [f32(2, 3), f32(3, 2)], [f32(2, 2)], options("BatchMatMul")),
        {1: [f32(2, 3), f32(3)]}, "a matrix"),
    "a product without a scale": (
        ("BATCH_MATMUL", [i8(2, 3), i8(3, 2)], [i8(2, 2)], options("BatchMatMul")),
        {1: [i8(2, 3, scale=0.0), i8(3, 2)]}, "above 0"),
    "padding below zero": (
        ("PAD", [f32(1), Operand(I32, (1, 2), (1, 2))], [f32(4)]),
        {1: [f32(1), Operand(I32, (1, 2), (1, -9))]}, "sizes from 0"),
    "a variable without a container": (
        ("VAR_HANDLE", [], [HANDLE], options("VarHandle", container="", sharedName="v")),
        {3: options("VarHandle", sharedName="v")}, "the container"),
    "an image that loses an axis": (
        ("RESIZE_BILINEAR", [f32(1, 2, 2, 1), whole(4, 4)], [f32(1, 4, 4, 1)]), {2: [f32(4, 4, 1)]}, "4 axes"),
    "lengths of other sequences": (
        ("REVERSE_SEQUENCE", [f32(2, 3), Operand(I32, (2,), (1, 2))], [f32(2, 3)],
         options("ReverseSequence", seqDim=1, batchDim=0)),
        {1: [f32(2, 3), Operand(I32, (0,), ())]}, "one for each element of axis 0"),
    "an image of nothing": (
        ("RESIZE_NEAREST_NEIGHBOR", [f32(1, 2, 2, 1), whole(4, 4)], [f32(1, 4, 4, 1)]),
        {1: [f32(1, 0, 2, 1), whole(4, 4)]}, "no size 0"),
    "nothing along the last axis": (("LOG_SOFTMAX", [f32(1, 3)], [f32(1, 3)]), {1: [f32(1, 0)]}, "no size 0"),
    "a pool of nothing": (
        ("MAX_POOL_2D", [f32(1, 2, 2, 1)], [f32(1, 2, 2, 1)], POOL), {1: [f32(1, 2, 2, 0)]}, "no size 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_operator_that_would_end_the_process_is_refused_and_its_sound_twin_runs(name: str, tmp_path: Path) -> None:
    sound, replaced, words = CASES[name]
    path = written(tmp_path / "sound.tflite", *sound)
    require_sound_tflite(path)
    interpreter = litert.Interpreter(str(path))
    interpreter.allocate_tensors()
    interpreter.invoke()
    unsound = [replaced.get(index, part) for index, part in enumerate(sound)]
    with pytest.raises(ArtifactError, match=words):
        require_sound_tflite(written(tmp_path / "unsound.tflite", *unsound))


def test_a_scale_that_only_the_reference_kernels_cannot_take_is_refused_there_alone(tmp_path: Path) -> None:
    inputs, outputs = [i8(1, 3, scale=1e-9)], [i8(1, 3, scale=1 / 256, zero_point=-128)]
    path = written(tmp_path / "model.tflite", "SOFTMAX", inputs, outputs, options("Softmax", beta=1.0))
    signature = Signature((TensorSpec("t0", "int8", (1, 3)),), (TensorSpec("t1", "int8", (1, 3)),))
    assert get("litert").open(path, signature)(np.zeros((1, 3), np.int8)).shape == (1, 3)
    with pytest.raises(ArtifactError, match="not so small"):
        get("litert_reference").open(path, signature)


def test_weights_without_their_zeros_are_sound_where_their_indices_fit(tmp_path: Path) -> None:
    path = written(tmp_path / "model.tflite", "DENSIFY", [sparse()], [f32(2, 3)])
    require_sound_tflite(path)
    interpreter = litert.Interpreter(str(path), experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    interpreter.invoke()
    assert interpreter.get_tensor(1).tolist() == [[0, 0, 1], [2, 3, 0]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"segments": (0, 1)}, "segments"),
        ({"segments": (0, 4, 3)}, "segments"),
        ({"segments": (0, 1, 9)}, "segments"),
        ({"indices": (2, 0, 3)}, "indices"),
        ({"values": 2}, "the data of"),
        ({"size": 3}, "2 along axis 0"),
        ({"order": (1, 0)}, "along axis 1"),
        ({"order": (0, 0)}, "order"),
        ({"kind": 0}, "a dense and a sparse one"),
        ({"order": (0, 1, 2), "block": 2}, "a part of 3"),
        ({"order": (0, 1, 2), "block": -1}, "dense ones that hold elements"),
    ],
)
def test_weights_without_their_zeros_are_refused_where_they_lead_elsewhere(
    change: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "model.tflite", "DENSIFY", [sparse(**change)], [f32(2, 3)])
    with pytest.raises(ArtifactError, match=words):
        require_sound_tflite(path)


def test_an_empty_shape_is_one(tmp_path: Path) -> None:
    shapes = [Operand(I32, (0,), ()), Operand(I32, (2,))]
    require_sound_tflite(written(tmp_path / "model.tflite", "BROADCAST_ARGS", shapes, [Operand(I32, (2,))]))


def test_an_operator_whose_lists_nobody_can_check_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "model.tflite", "STABLEHLO_GATHER", [f32(3, 2), Operand(I32, (2, 1))], [f32(2, 2)])
    with pytest.raises(ArtifactError, match="an operator that can be checked"):
        require_sound_tflite(path)
