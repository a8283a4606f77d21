"""Traces a dynamic size to axes of placeholders, from the graph alone."""

from __future__ import annotations

from kexport.factory.graph.protocols import Operation, Tensor

_WORDS = """
    Abs Add AddN AddV2 Cast Ceil Cos Div DivNoNan Elu Equal Erf Exp Expm1 Floor FloorDiv FloorMod Greater GreaterEqual
    Identity LeakyRelu Less LessEqual Log Log1p LogicalAnd LogicalNot LogicalOr Maximum Minimum Mul Neg NotEqual
    OnesLike Pow RealDiv Reciprocal Relu Relu6 Round Rsqrt Select SelectV2 Selu Sigmoid Sign Sin Softplus Softsign Sqrt
    Square SquaredDifference StopGradient Sub Tan Tanh ZerosLike
"""
_ELEMENTWISE = frozenset(_WORDS.split())
_MATRIX_PRODUCTS = {"MatMul": "transpose_a", "BatchMatMulV2": "adj_x"}
_KEEP_FIRST = frozenset(["BiasAdd", "Conv2D", "Conv3D", "DepthwiseConv2dNative", "MaxPool", "AvgPool"])
#: A number, or axes of placeholders.
SymbolicSize = int | frozenset[tuple[str, int]]


def size(tensor: Tensor, axis: int) -> SymbolicSize | None:
    """The size of an axis of a tensor.

    Returns:
        A number; or axes of placeholders, the largest of which it is (they are broadcast: each has this size, or 1);
        None where the graph does not show it in a form that is recognised here.
    """
    if tensor.shape.rank is None:
        return None
    static = tensor.shape[axis]
    if static is not None:
        return int(static)
    if tensor.op.type == "Placeholder":
        return frozenset([(tensor.op.name, axis)])
    origins: set[tuple[str, int]] = set()
    for source in _sources(tensor.op, tensor, axis):
        of_source = size(*source)
        if not isinstance(of_source, frozenset):
            return None
        origins |= of_source
    return frozenset(origins) or None


def _sources(op: Operation, tensor: Tensor, axis: int) -> list[tuple[Tensor, int]]:
    """Inputs, and of each the axis, that have the same size or are broadcast to it."""
    if op.type in _ELEMENTWISE:
        from_end = tensor.shape.rank - axis
        ranks = [(given, given.shape.rank) for given in op.inputs]
        if any(rank is None for _, rank in ranks):
            return []
        ranks = [(given, rank) for given, rank in ranks if rank >= from_end]
        return [(given, rank - from_end) for given, rank in ranks if given.shape[rank - from_end] is None]
    if op.type in _MATRIX_PRODUCTS:
        straight = not op.get_attr(_MATRIX_PRODUCTS[op.type])
        return [(op.inputs[0], axis)] if straight and axis == tensor.shape.rank - 2 else []
    if op.type in _KEEP_FIRST:
        return [(op.inputs[0], axis)] if axis == 0 else []
    source = _rearranged(op, tensor, axis)
    return [] if source is None else [source]


def _rearranged(op: Operation, tensor: Tensor, axis: int) -> tuple[Tensor, int] | None:
    import tensorflow as tf

    if op.type == "StridedSlice":
        return _sliced(op, axis)
    if op.type not in ("Split", "SplitV", "GatherV2", "Transpose", "ExpandDims", "Squeeze"):
        return None
    constants = [tf.get_static_value(given) for given in op.inputs]
    if op.type in ("Split", "SplitV"):
        value, along = (op.inputs[1], constants[0]) if op.type == "Split" else (op.inputs[0], constants[2])
        return None if along is None or int(along) % tensor.shape.rank == axis else (value, axis)
    if op.type == "GatherV2":
        scalar = op.inputs[1].shape.rank == 0 and constants[2] is not None and int(constants[2]) == 0
        return (op.inputs[0], axis + 1) if scalar and op.get_attr("batch_dims") == 0 else None
    if op.type == "Transpose":
        return None if constants[1] is None else (op.inputs[0], int(constants[1][axis]))
    if op.type == "ExpandDims":
        if constants[1] is None:
            return None
        added = int(constants[1]) % tensor.shape.rank
        return op.inputs[0], axis - (axis > added)
    removed = {int(at) % op.inputs[0].shape.rank for at in op.get_attr("squeeze_dims")}
    kept = [at for at in range(op.inputs[0].shape.rank) if at not in removed]
    return (op.inputs[0], kept[axis]) if removed else None


def _sliced(op: Operation, axis: int) -> tuple[Tensor, int] | None:
    """The input of a slice that keeps the whole axis, and the number of axes."""
    import tensorflow as tf

    if any(op.get_attr(f"{kind}_mask") for kind in ("ellipsis", "new_axis", "shrink_axis")):
        return None
    stride = tf.get_static_value(op.inputs[3])
    if stride is None or (axis < len(stride) and int(stride[axis]) != 1):
        return None
    whole = all(op.get_attr(f"{kind}_mask") >> axis & 1 for kind in ("begin", "end"))
    return (op.inputs[0], axis) if axis >= len(stride) or whole else None
