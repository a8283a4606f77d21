"""What ONNX Runtime's own operators (`com.microsoft`) demand of their operands, where it does not check that itself.

Its optimiser and its quantiser write them. Some kernels look at operands as soon as the file is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.onnx_rows import NodeRow
from kexport.runtimes.soundness.onnx_tensors import Known

CONTRIBUTED = "com.microsoft"
_CLASSICAL = "ai.onnx.ml"
#: The inputs that may be left out; no other input may, of the operators that are listed.
_OPTIONAL = """
Attention 2 3 4 5 6
BeamSearch 2 5 6 7 8 9 10 11
BiasGelu
BifurcationDetector 3
BranchwiseRMSNorm 1
CDist
CausalConvWithState 2 3
ConvTransposeWithDynamicPads 2 3
CropAndResize
DecoderMaskedMultiHeadAttention 1 2 3 4 5 6 7 8 9 10
DequantizeLinear 2
DynamicQuantizeLSTM 3 4 5 6 7
DynamicQuantizeMatMul 3 4
DynamicTimeWarping
EmbedLayerNormalization 1 4 7 8
EngramGate 5
ExpandDims
FastGelu 1
FusedConv 2 3
FusedGemm 2
FusedMatMul
GatedAdd 3
GatedDeltaNet 1 2 3 4 5 6 7 8 9 10
GatedRMSNorm
GatherBlockQuantized 3
GatherND
GatherPacked
Gelu
GreedySearch 2 3 4 5 6
GridSample
GroupQueryAttention 1 2 3 4 7 8 9 10 11 12 13 14 15 16
HyperConnectionPostMix 3
HyperConnectionPreMix
Inverse
LinearAttention 3 4 5
LinearAttentionGate 3
MRotaryEmbedding
MatMulBnb4
MatMulFpQ4
MatMulInteger16
MatMulIntegerToFloat 4 5 6
MatMulNBits 3 4 5
MaxpoolWithMask
MoE 3 5 6 7
MoEGroupRouter 2
MultiHeadAttention 1 2 3 4 5 6 7 8 9
MurmurHash3
NGramHashMapping 3 4 5 6
NGramRepeatBlock
NhwcMaxPool
Pad 2
QAttention 5 6 7 8
QEmbedLayerNormalization 1 4 7 10 15
QGemm 6 7 8
QLinearAdd 2 5 7
QLinearAveragePool 2 4
QLinearConcat
QLinearConv 8
QLinearGlobalAveragePool
QLinearLeakyRelu 2 4
QLinearMul 2 5 7
QLinearSigmoid 2 4
QLinearSoftmax 2
QLinearWhere
QMoE 3 4 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20
QuantizeLinear 2
QuickGelu
Range 2
RotaryEmbedding
Sampling 2 3 4 5 6 7 8
ScaledSiLU 1
SkipLayerNormalization 3 4
SkipSimplifiedLayerNormalization 3
SparseAttention 1 2 9 10
SparseToDenseMatMul
TransposeMatMul
Trilu 1
UnfoldTensor
Unique
VarlenCausalConvWithState 3 5 6 7
VarlenNGramHashMapping 4 5 6 7 8 9
WhisperBeamSearch 2 5 6 7 8 9 10 11 12 13 14
WordConvEmbedding
"""
_GAPS = {line.split()[0]: frozenset(map(int, line.split()[1:])) for line in _OPTIONAL.strip().splitlines()}
#: Operators whose kernels read operands by fixed places and sizes, and that nothing writes any more.
_UNTOLD = frozenset({"AttnLSTM"})
#: Kernels that look for an input at this place, if only for an empty name, and how many there must be then.
_LEAST_INPUTS = {"QLinearLeakyRelu": 5, "QLinearSigmoid": 5}
#: Kernels that write all their outputs where this input is there.
_OUTPUTS_WITH = {"DecoderMaskedMultiHeadAttention": (5, 3)}
#: Inputs that are constants: a table is computed from them before any call, whether or not they are there.
_CONSTANT = {"QLinearWhere": (2, 3, 5, 6, 7, 8)}
#: How many axes an input has, by its place.
_AXES: dict[tuple[str, str], dict[int, tuple[int, ...]]] = {
    (CONTRIBUTED, "DynamicQuantizeMatMul"): {1: tuple(range(2, 9))},
    (CONTRIBUTED, "EmbedLayerNormalization"): {0: (2,), 1: (2,), 2: (2,), 3: (2,), 4: (2,), 8: (2,)},
    (CONTRIBUTED, "GroupQueryAttention"): {9: (2,)},
    (CONTRIBUTED, "MatMulIntegerToFloat"): {1: tuple(range(2, 9))},
    (CONTRIBUTED, "MoE"): {0: (2, 3), 1: (2,), 2: (3,), 3: (2,), 4: (3,), 5: (2,), 6: (3,), 7: (2,)},
    (CONTRIBUTED, "QEmbedLayerNormalization"): {0: (2,), 1: (2,), 2: (2,), 3: (2,), 4: (2,)},
    (CONTRIBUTED, "QMoE"): {0: (2, 3), 1: (2,), 2: (3,), 3: (2, 3), 4: (2,), 5: (3,), 6: (2, 3), 7: (2,), 8: (3,)},
    (CONTRIBUTED, "SparseAttention"): {0: (3,), 1: (3,), 2: (3,), 3: (4,), 4: (4,), 5: (2,), 6: (2,), 8: (1,)},
    (_CLASSICAL, "FeatureVectorizer"): dict.fromkeys(range(64), (1, 2)),
}


def check_operands(node: NodeRow) -> None:
    """Raise `FlawError` where the kernel of one of the runtime's own operators would follow what is not there."""
    if node.kind in _UNTOLD:
        raise FlawError(f"the operator of {node.place}", node.kind, "one whose operands can be checked")
    if "" in node.inputs and node.kind in _GAPS:
        for place, name in enumerate(node.inputs):
            if not name and place not in _GAPS[node.kind]:
                raise FlawError(f"input {place} of {node.place}", "it is left out", "a tensor")
    least = _LEAST_INPUTS.get(node.kind, 0)
    if len(node.inputs) < least:
        raise FlawError(f"the inputs of {node.place}", len(node.inputs), f"{least}, of which the last may be empty")
    place, outputs = _OUTPUTS_WITH.get(node.kind, (0, 0))
    if outputs and any(node.inputs[place : place + 1]) and sum(map(bool, node.outputs)) < outputs:
        raise FlawError(f"the outputs of {node.place}", len(node.outputs), f"{outputs}, since input {place} is there")


def check_known(node: NodeRow, given: Sequence[Known]) -> None:
    """Raise `FlawError` where what is known of the inputs of a node, none of the standard's, would harm its kernel."""
    for place, ranks in _AXES.get(node.operator[:2], {}).items():
        dims = given[place].dims if place < len(given) and node.inputs[place] else None
        if dims is not None and len(dims) not in ranks:
            raise FlawError(f"input {place} of {node.place}", f"shape {dims}", f"{' or '.join(map(str, ranks))} axes")
    if node.operator[0] == CONTRIBUTED:
        _check_constants(node, given)
        if node.kind == "Inverse":
            _check_square(node, given[0].dims if given else None)


def _check_constants(node: NodeRow, given: Sequence[Known]) -> None:
    for place in _CONSTANT.get(node.kind, ()):
        if place < len(given) and given[place].value is None:
            raise FlawError(f"input {place} of {node.place}", "it varies", "a constant")


def _check_square(node: NodeRow, dims: Sequence[int] | None) -> None:
    if dims is None or len(dims) < 2 or dims[-1] != dims[-2] or dims[-1] < 0:
        raise FlawError(f"input 0 of {node.place}", f"shape {dims}", "square matrices of a size that is stated")
