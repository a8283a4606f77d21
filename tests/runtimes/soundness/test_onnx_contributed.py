"""ONNX Runtime's own operators: operands that end its process are refused by name, what its tools write is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

from kexport.errors import ArtifactError
from kexport.runtimes.soundness import require_sound_onnx

SCALE, ZERO = np.array(0.1, np.float32), np.array(0, np.uint8)
BYTES, FLOATS = np.ones((2, 3), np.uint8), np.ones((2, 3), np.float32)


def written(path: Path, kind: str, given: Any, domain: str = "com.microsoft", outputs: int = 1, **more: int) -> Path:
    """A model of one node: arrays are constants, pairs of type and sizes are inputs, and None is left out."""
    names = ["" if each is None else f"in{place}" for place, each in enumerate(given)]
    node = helper.make_node(kind, names, [f"y{n}" for n in range(outputs)], name="the_node", domain=domain, **more)
    pairs = [(name, each) for name, each in zip(names, given, strict=True) if each is not None]
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info(name, *each) for name, each in pairs if isinstance(each, tuple)],
        [onnx.ValueInfoProto(name="y0")],
        [numpy_helper.from_array(each, name) for name, each in pairs if not isinstance(each, tuple)],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid(domain, 1)]
    path.write_bytes(helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString())
    return path


WHERE = [(TensorProto.BOOL, [2, 3]), BYTES, SCALE, ZERO, BYTES, SCALE, ZERO, SCALE, ZERO]
EMBEDDING = [np.ones((2, 3), np.int32), None, FLOATS, FLOATS, None, FLOATS[0], FLOATS[0], None]
MASKED = [(1, [2, 1, 8])] * 3 + [(6, [2, 3]), None] + [(1, [2, 2, 8, 4])] * 2 + [(6, [1])]
POSITIONS = [(6, [2]), (6, []), None, None, (7, [2])]
CASES = {
    "a zero point that is looked for": ("QLinearSigmoid", [BYTES, SCALE, ZERO, SCALE], "the inputs of"),
    "another": ("QLinearLeakyRelu", [(2, [2, 3]), SCALE, None, SCALE], "the inputs of"),
    "a scale that is left out": ("QLinearConcat", [SCALE, ZERO, BYTES, None, ZERO], "input 3 of"),
    "a scale that varies": ("QLinearWhere", [*WHERE[:5], (1, []), *WHERE[6:]], "input 5 of"),
    "positions without axes": ("EmbedLayerNormalization", [*EMBEDDING, np.array(1, np.int32)], "input 8 of"),
    "keys without axes": ("SparseAttention", [(1, [1, 2, 32]), SCALE, (1, [1, 2, 16])], "input 1 of"),
    "positions of one axis": ("GroupQueryAttention", [(1, [2, 1, 64]), *[None] * 4, *POSITIONS], "input 9 of"),
    "experts without axes": ("QMoE", [FLOATS, FLOATS, BYTES[0], FLOATS, None, BYTES, FLOATS], "input 2 of"),
    "weights of one axis": ("MatMulIntegerToFloat", [BYTES[0], BYTES[0], FLOATS, FLOATS], "input 1 of"),
    "other weights of one axis": ("DynamicQuantizeMatMul", [FLOATS[0], BYTES[0], FLOATS], "input 1 of"),
    "a matrix that is not square": ("Inverse", [(1, [None, 2, 3])], "input 0 of"),
    "sizes that nobody states": ("Inverse", [(1, [None, None])], "input 0 of"),
    "states that are not given back": ("DecoderMaskedMultiHeadAttention", MASKED, "the outputs of"),
    "what nothing writes": ("AttnLSTM", [(1, [3, 2, 4]), FLOATS, FLOATS], "the operator of"),
}


@pytest.mark.parametrize("case", CASES)
def test_operands_that_would_end_the_process_are_refused_by_name(case, tmp_path):
    kind, given, message = CASES[case]
    with pytest.raises(ArtifactError) as refused:
        require_sound_onnx(written(tmp_path / "m.onnx", kind, given))
    assert f"{message} the node 'the_node' ({kind})" in str(refused.value)


def test_heads_whose_lower_half_is_zero_are_refused(tmp_path):
    path = written(tmp_path / "m.onnx", "SparseAttention", [(1, [1, 2, 32])], num_heads=1 << 40)
    with pytest.raises(ArtifactError, match="the attribute num_heads of the node 'the_node'"):
        require_sound_onnx(path)


def test_features_of_too_many_axes_are_refused(tmp_path):
    with pytest.raises(ArtifactError, match="input 1 of the node 'the_node'"):
        require_sound_onnx(written(tmp_path / "m.onnx", "FeatureVectorizer", [FLOATS, (1, [1, 2, 3])], "ai.onnx.ml"))


SOUND = {
    "QLinearSigmoid": [(2, [2, 3]), SCALE, None, SCALE, None],
    "QLinearLeakyRelu": [(2, [2, 3]), SCALE, ZERO, SCALE, ZERO],
    "QLinearWhere": WHERE,
    "Inverse": [(1, [None, 3, 3])],
    "SkipLayerNormalization": [(1, [2, 3, 3]), (1, [2, 3, 3]), FLOATS[0], None, FLOATS[0]],
}


@pytest.mark.parametrize("kind", SOUND)
def test_their_sound_twins_are_loaded(kind, tmp_path):
    require_loaded(written(tmp_path / "m.onnx", kind, SOUND[kind]))


def test_what_needs_more_outputs_or_attributes_is_loaded(tmp_path):
    require_loaded(written(tmp_path / "m.onnx", "EmbedLayerNormalization", EMBEDDING, outputs=2))
    require_loaded(written(tmp_path / "m.onnx", "QLinearConcat", [SCALE, ZERO, (2, [2, 3]), SCALE, ZERO], axis=1))


def require_loaded(path: Path) -> None:
    require_sound_onnx(path)
    onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


class Data(CalibrationDataReader):
    """Two inputs."""

    def __init__(self) -> None:
        self.left = [{"x": np.full((1, 4, 8, 8), value, np.float32)} for value in (-1, 1)]

    def get_next(self) -> Any:
        return self.left.pop() if self.left else None


def test_what_the_quantiser_and_the_optimiser_write_is_loaded(tmp_path):
    kinds = ["Sigmoid x a", "LeakyRelu x b", "Add a b c", "Mul c b d", "Concat a d e", "Conv e w f", "MaxPool f g",
             "AveragePool g h", "GlobalAveragePool h i", "Flatten i j", "Gemm j v k", "Softmax k y"]  # fmt: skip
    more: dict[str, Any] = {
        "Concat": {"axis": 1},
        "MaxPool": {"kernel_shape": [2, 2]},
        "AveragePool": {"kernel_shape": [2, 2]},
    }
    nodes = [
        helper.make_node(kind, names[:-1], names[-1:], name=kind, **more.get(kind, {}))
        for kind, *names in map(str.split, kinds)
    ]
    random = np.random.default_rng(0)
    constants = {"w": random.normal(size=(16, 8, 3, 3)), "v": random.normal(size=(16, 3))}
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", 1, ["n", 4, 8, 8])],
        [helper.make_tensor_value_info("y", 1, ["n", 3])],
        [numpy_helper.from_array(value.astype("float32"), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    quantize_static(tmp_path / "m.onnx", tmp_path / "quantised.onnx", Data(), quant_format=QuantFormat.QOperator)
    for name in ("m", "quantised"):
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / f"{name}.optimised.onnx")
        onnxruntime.InferenceSession(str(tmp_path / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
    written_kinds = set()
    for path in sorted(tmp_path.glob("*.onnx")):
        require_sound_onnx(path)
        written_kinds |= {node.op_type for node in onnx.load(path).graph.node if node.domain not in ("", "ai.onnx")}
    assert {"QLinearSigmoid", "QLinearLeakyRelu", "QLinearAdd", "QLinearConcat", "QGemm", "Conv"} <= written_kinds
