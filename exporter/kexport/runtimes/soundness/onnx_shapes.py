"""How large the results of ONNX's operators are at least, from the sizes of their operands and constant ones.

Each rule gives sizes as `Known.dims` has them. An operator without a rule says nothing about its results.
"""

from __future__ import annotations

import math

from kexport.runtimes.soundness.onnx_images import IMAGES
from kexport.runtimes.soundness.onnx_operands import Operands, Rule, broadcast, scaled, sizes_in
from kexport.runtimes.soundness.onnx_tensors import Dims


def _same(op: Operands) -> Dims | None:
    return op.dims(0)


def _all(op: Operands) -> Dims | None:
    return broadcast(each.dims for each in op.given)


def _expand(op: Operands) -> Dims | None:
    return broadcast([op.dims(0), sizes_in(op, 1)])


def _tile(op: Operands) -> Dims | None:
    sizes, times = op.dims(0), op.numbers(1)
    if sizes is None or times is None or len(sizes) != len(times):
        return None
    return tuple(scaled(size, max(int(n), 0)) for size, n in zip(sizes, times, strict=True))


def _range(op: Operands) -> Dims | None:
    ends = [op.numbers(index) for index in range(3)]
    if any(end is None or len(end) != 1 for end in ends):
        return (-1,)
    start, limit, step = (float(end[0]) for end in ends if end)
    return (scaled(1, 0, max(math.ceil((limit - start) / step), 0)),) if step and math.isfinite(step) else (-1,)


def _pad(op: Operands) -> Dims | None:
    sizes, pads, axes = op.dims(0), op.numbers(1, "pads"), op.numbers(3)
    if sizes is None or pads is None or (len(op.given) > 3 and op.node.inputs[3] and axes is None):
        return None
    chosen = [int(axis) for axis in axes] if axes is not None else list(range(len(sizes)))
    if len(pads) != 2 * len(chosen) or any(not -len(sizes) <= axis < len(sizes) for axis in chosen):
        return None
    result = list(sizes)
    for place, axis in enumerate(chosen):
        result[axis] = scaled(result[axis], 1, int(pads[place]) + int(pads[place + len(chosen)]))
    return tuple(result)


def _resize(op: Operands) -> Dims | None:
    sizes, kind = op.dims(0), op.node.kind
    scales = op.numbers(1, "scales") if kind == "Upsample" else op.numbers(2 if len(op.given) > 2 else 1)
    wanted = op.numbers(3)
    axes = op.node.attributes.get("axes")
    if sizes is None or isinstance(axes, list):
        return None
    if wanted:
        return tuple(max(int(each), -1) for each in wanted)
    if not scales or len(scales) != len(sizes):
        return (-1,) * len(sizes)
    return tuple(scaled(size, float(scale)) for size, scale in zip(sizes, scales, strict=True))


def _one_hot(op: Operands) -> Dims | None:
    sizes, depth = op.dims(0), op.numbers(1)
    if sizes is None:
        return None
    axis = op.whole("axis", -1) % (len(sizes) + 1)
    return (*sizes[:axis], max(int(depth[0]), -1) if depth else -1, *sizes[axis:])


def _first_number(op: Operands) -> Dims | None:
    length = op.numbers(0)
    return (max(int(length[0]), -1),) if length else (-1,)


def _product(op: Operands) -> Dims | None:
    left, right = op.dims(0), op.dims(1 if op.node.kind != "QLinearMatMul" else 3)
    if not left or not right or len(left) < 2 or len(right) < 2:
        return None
    outer = broadcast([left[:-2], right[:-2]])
    return None if outer is None else (*outer, left[-2], right[-1])


def _gemm(op: Operands) -> Dims | None:
    left, right = op.dims(0), op.dims(1)
    if not left or not right or len(left) != 2 or len(right) != 2:
        return None
    return left[1 if op.whole("transA") else 0], right[0 if op.whole("transB") else 1]


def _concat(op: Operands) -> Dims | None:
    shapes = [each.dims for each in op.given if each.dims is not None]
    if len(shapes) != len(op.given) or len({len(shape) for shape in shapes}) != 1 or not shapes[0]:
        return None
    axis = op.whole("axis") % len(shapes[0])
    total = sum(abs(shape[axis]) for shape in shapes)
    fixed = all(shape[axis] >= 0 for shape in shapes)
    return (*shapes[0][:axis], total if fixed else min(-total, -1), *shapes[0][axis + 1 :])


def _gather(op: Operands) -> Dims | None:
    data, indices = op.dims(0), op.dims(1)
    if not data or indices is None:
        return None
    axis = op.whole("axis") % len(data)
    return (*data[:axis], *indices, *data[axis + 1 :])


def _reshape(op: Operands) -> Dims | None:
    sizes, wanted = op.dims(0), sizes_in(op, 1, "shape")
    if wanted is None:
        return None
    kept = op.whole("allowzero") == 0  # then a size of 0 stands for that of the input
    if sizes is None:
        return tuple(-1 if size == 0 and kept else size for size in wanted)
    new = [sizes[at] if size == 0 and kept and at < len(sizes) else size for at, size in enumerate(wanted)]
    if new.count(-1) == 1 and all(size >= 0 for size in sizes) and all(size > 0 for size in new if size != -1):
        new[new.index(-1)] = math.prod(sizes) // math.prod(size for size in new if size != -1)
    return tuple(new)


def _transpose(op: Operands) -> Dims | None:
    sizes = op.dims(0)
    if sizes is None:
        return None
    order = op.many("perm", len(sizes), -1)
    return tuple(sizes[at] for at in order) if sorted(order) == list(range(len(sizes))) else sizes[::-1]


def _unsqueeze(op: Operands) -> Dims | None:
    sizes, axes = op.dims(0), op.numbers(1, "axes")
    if sizes is None or axes is None:
        return None
    rank = len(sizes) + len(axes)
    places, rest = {int(axis) % rank for axis in axes}, iter(sizes)
    return tuple(1 if at in places else next(rest, 1) for at in range(rank))


def _squeeze(op: Operands) -> Dims | None:
    sizes, axes = op.dims(0), op.numbers(1, "axes")
    if sizes is None or (axes is None and -1 in sizes):
        return None
    places = {at for at, size in enumerate(sizes) if size == 1} if axes is None else {
        int(axis) % max(len(sizes), 1) for axis in axes
    }  # fmt: skip
    return tuple(size for at, size in enumerate(sizes) if at not in places)


def _slice(op: Operands) -> Dims | None:
    """Along the axes that are cut, any size may remain."""
    sizes = op.dims(0)
    axes = op.numbers(3, "axes")
    if sizes is None:
        return None
    if axes is None:
        starts = op.numbers(1, "starts")
        axes = list(range(len(sizes) if starts is None else len(starts)))
    places = {int(axis) % max(len(sizes), 1) for axis in axes}
    return tuple(-1 if at in places else size for at, size in enumerate(sizes))


def _reduced(op: Operands) -> Dims | None:
    sizes = op.dims(0)
    axes = op.numbers(1, "axes") if op.node.kind.startswith("Reduce") else [op.whole("axis")]
    if sizes is None or (axes is None and len(op.given) > 1 and op.node.inputs[1]):
        return None
    places = {int(axis) % max(len(sizes), 1) for axis in axes} if axes else set(range(len(sizes)))
    kept = op.whole("keepdims", 1)
    return tuple(1 if at in places else size for at, size in enumerate(sizes) if kept or at not in places)


def _recurrent(op: Operands) -> Dims | None:
    sequence, weights = op.dims(0), op.dims(2)
    if not sequence or not weights or len(sequence) != 3 or len(weights) != 3:
        return None
    return (*sequence[:-1], weights[0], weights[2])


def _cropped(op: Operands) -> Dims | None:
    sizes, wanted, axes = op.dims(0), sizes_in(op, 1), op.node.attributes.get("axes")
    if sizes is None or wanted is None:
        return None
    chosen = axes if isinstance(axes, list) else list(range(len(sizes)))
    result = list(sizes)
    for axis, size in zip(chosen, wanted, strict=False):
        if -len(sizes) <= axis < len(sizes):
            result[axis] = size
    return tuple(result)


def _attribute_shape(op: Operands) -> Dims | None:
    shape = op.node.attributes.get("shape")
    return tuple(shape) if isinstance(shape, list) and all(size >= 0 for size in shape) else None


def _drawn(op: Operands) -> Dims | None:
    sizes = op.dims(0)
    return None if not sizes else (sizes[0], max(op.whole("sample_size", 1), 0))


def _einsum(op: Operands) -> Dims | None:
    equation = op.node.attributes.get("equation")
    left, arrow, right = str(equation).replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow or "." in left or len(terms) != len(op.given):
        return None
    sizes: dict[str, int] = {}
    for term, each in zip(terms, op.given, strict=True):
        if each.dims is None or len(each.dims) != len(term):
            return None
        sizes.update(zip(term, each.dims, strict=True))
    return tuple(sizes.get(letter, -1) for letter in right)


def _words(op: Operands) -> Dims | None:
    indexes = op.node.attributes.get("ngram_indexes")
    return (max(indexes) + 1,) if isinstance(indexes, list) and indexes else None


def _nothing_new(op: Operands) -> Dims | None:
    sizes = op.dims(0)
    return None if sizes is None else (len(sizes),)


def _scalar(op: Operands) -> Dims | None:
    return ()


#: Those whose result is as large as their first input, and whose numbers are no matter.
_KEEPING = """
Acos Acosh Asin Asinh Atan Atanh BatchNormalization Bernoulli BitwiseNot Celu Clip Cos Cosh CumSum DequantizeLinear
Dropout DynamicQuantizeLinear Elu Erf Exp Gelu GroupNormalization HardSigmoid HardSwish Hardmax InstanceNormalization
LRN LayerNormalization LeakyRelu Log LogSoftmax LpNormalization MeanVarianceNormalization Mish QuantizeLinear
RMSNormalization RandomNormalLike RandomUniformLike Reciprocal Relu ReverseSequence Round Scatter ScatterElements
ScatterND Selu Shrink Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Swish Tan Tanh TensorScatter
ThresholdedRelu Trilu
"""
KEEPING = frozenset(_KEEPING.split())
_SAME = "Abs BitCast Cast CastLike Ceil EyeLike Floor Identity IsInf IsNaN Neg Not"
_BY_PAIR = """
Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul
Or PRelu Pow Sub Sum Where Xor
"""
_REDUCING = """
ArgMax ArgMin ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
ReduceSumSquare
"""
RULES: dict[str, Rule] = {
    **IMAGES,
    **dict.fromkeys(_SAME.split(), _same),
    **dict.fromkeys(_BY_PAIR.split(), _all),
    **dict.fromkeys(_REDUCING.split(), _reduced),
    **dict.fromkeys(("MatMul", "MatMulInteger", "QLinearMatMul"), _product),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _recurrent),
    **dict.fromkeys(("HannWindow", "HammingWindow", "BlackmanWindow"), _first_number),
    **dict.fromkeys(("RandomNormal", "RandomUniform"), _attribute_shape),
    **dict.fromkeys(("Resize", "Upsample"), _resize),
    "CenterCropPad": _cropped,
    "Concat": _concat,
    "ConstantOfShape": lambda op: sizes_in(op, 0),
    "Einsum": _einsum,
    "Expand": _expand,
    "Gather": _gather,
    "GatherElements": lambda op: op.dims(1),
    "Gemm": _gemm,
    "Multinomial": _drawn,
    "OneHot": _one_hot,
    "Pad": _pad,
    "Range": _range,
    "Reshape": _reshape,
    "Shape": _nothing_new,
    "Size": _scalar,
    "Slice": _slice,
    "Squeeze": _squeeze,
    "TfIdfVectorizer": _words,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
