"""What single operators of ONNX demand of their operands and attributes, as far as the runtime does not check it."""

from __future__ import annotations

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.onnx_contributed import CONTRIBUTED, check_operands
from kexport.runtimes.soundness.onnx_rows import NodeRow

#: The inputs that may be left out, in any version of the standard; no other input may. (The last ones of DFT and
#: LayerNormalization may simply not be there, but their kernels follow an empty name.)
_OPTIONAL = """
Attention 3 4 5 6
CausalConvWithState 2 3
Clip 1 2
Conv 2
ConvInteger 2 3
ConvTranspose 2
DFT 1
DeformConv 3 4
DequantizeLinear 2
Dropout 1 2
GRU 3 4 5
Gemm 2
LSTM 3 4 5 6 7
LinearAttention 3 4 5
Loop 0 1
MatMulInteger 2 3
MaxUnpool 2
NegativeLogLikelihoodLoss 2
NonMaxSuppression 2 3 4
Optional 0
OptionalHasElement 0
Pad 2 3
QLinearConv 8
QuantizeLinear 2
RNN 3 4 5
ReduceL1 1
ReduceL2 1
ReduceLogSum 1
ReduceLogSumExp 1
ReduceMax 1
ReduceMean 1
ReduceMin 1
ReduceProd 1
ReduceSum 1
ReduceSumSquare 1
Resize 1 2 3
RotaryEmbedding 3
STFT 2 3
Scan 0
SequenceErase 1
SequenceInsert 2
Slice 3 4
SoftmaxCrossEntropyLoss 2
Split 1
SplitToSequence 1
Squeeze 1
TensorScatter 2
Trilu 1
Upsample 1
"""
_GAPS = {line.split()[0]: frozenset(map(int, line.split()[1:])) for line in _OPTIONAL.strip().splitlines()}
_NO_GAPS = frozenset[int]()
_GRAPHS = {"If": ("then_branch", "else_branch"), "Loop": ("body",), "Scan": ("body",), "SequenceMap": ("body",)}
#: Attributes that count axes or elements, with the largest absolute value that one may have.
_BOUNDED = {
    "axis": 64,
    "batch_dims": 64,
    "group": 1 << 24,
    "num_outputs": 1 << 20,
    "n_targets": 1 << 20,
    "to": 64,
    "blocksize": 1 << 16,
}
_HEADS = ("num_heads", "kv_num_heads", "q_num_heads", "hidden_size", "block_size", "sparse_block_size")
_BOUNDED |= dict.fromkeys(_HEADS, 1 << 24)  # kernels keep the lower half of such a number, which may be zero
_NOT_NEGATIVE = frozenset({"batch_dims", "group", "num_outputs", "blocksize", "to", *_HEADS})
#: Lists of sizes of a window, and of its steps, with which kernels compute without a look at an overflow.
_WINDOWS = frozenset({"kernel_shape", "strides", "dilations", "pads", "output_padding", "pooled_shape"})
_LARGEST_WINDOW = 1 << 20


def check_node(node: NodeRow) -> None:
    """Raise `FlawError` where the kernel of a node would follow what is not there."""
    for name, value in node.attributes.items():
        if name in _BOUNDED and isinstance(value, int):
            bound = _BOUNDED[name]
            if abs(value) > bound or (value < 0 and name in _NOT_NEGATIVE):
                raise FlawError(f"the attribute {name} of {node.place}", value, f"at most {bound}")
        elif name in _WINDOWS:
            _check_window(node, name, value)
    if node.operator[0] == CONTRIBUTED:
        check_operands(node)
    if not node.standard:
        return
    if "" in node.inputs:
        _check_gaps(node)
    check = _CHECKS.get(node.kind)
    if check is not None:
        check(node)


def _check_gaps(node: NodeRow) -> None:
    allowed = _GAPS.get(node.kind, _NO_GAPS)
    for place, name in enumerate(node.inputs):
        if not name and place not in allowed:
            raise FlawError(f"input {place} of {node.place}", "it is left out", "a tensor")


def _check_window(node: NodeRow, name: str, values: object) -> None:
    sizes = values if isinstance(values, list) else [values]
    if not all(isinstance(size, int) and -_LARGEST_WINDOW <= size <= _LARGEST_WINDOW for size in sizes):
        raise FlawError(f"the attribute {name} of {node.place}", values, f"whole numbers to {_LARGEST_WINDOW}")


def _check_split(node: NodeRow) -> None:
    count = node.attributes.get("num_outputs")
    if isinstance(count, int) and count != len(node.outputs):
        raise FlawError(f"the attribute num_outputs of {node.place}", count, f"{len(node.outputs)}, its outputs")


def _check_words(node: NodeRow) -> None:
    """An index is read for each group of words, of which the groups of one word come first."""
    pool = node.attributes.get("pool_int64s") or node.attributes.get("pool_strings") or []
    starts, indexes = node.attributes.get("ngram_counts"), node.attributes.get("ngram_indexes")
    if not isinstance(starts, list) or not isinstance(indexes, list) or not isinstance(pool, list):
        raise FlawError(f"the words of {node.place}", "none", "ngram_counts and ngram_indexes")
    ends = [*starts[1:], len(pool)]
    ordered = starts[:1] == [0] and all(low <= high for low, high in zip(starts, ends, strict=True))
    groups = sum((high - low) // length for length, (low, high) in enumerate(zip(starts, ends, strict=True), 1))
    if not ordered or groups != len(indexes) or min(indexes, default=0) < 0:
        raise FlawError(f"the ngram_indexes of {node.place}", f"{len(indexes)}", f"one from 0 for each of {groups}")


def _check_graphs(node: NodeRow) -> None:
    for name in _GRAPHS[node.kind]:
        if name not in node.graphs:
            raise FlawError(f"the attribute {name} of {node.place}", "none", "a graph")


_CHECKS = {**dict.fromkeys(_GRAPHS, _check_graphs), "Split": _check_split, "TfIdfVectorizer": _check_words}
