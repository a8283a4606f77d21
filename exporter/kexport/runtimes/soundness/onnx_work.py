"""How long a node of an ONNX file takes, from the sizes of what it takes and makes."""

from __future__ import annotations

import math

from kexport.runtimes.soundness.onnx_operands import Operands
from kexport.runtimes.soundness.onnx_tensors import Dims

#: Nanoseconds of one core: for a multiplication and addition in products, and for an element of anything else. Measured
#: with ONNX Runtime 1.27 on x86-64: 0.02 to 0.05, and 0.1 to 2.
_PRODUCT, _ELEMENT = 0.05, 1.0
_POOLS = frozenset({"AveragePool", "MaxPool", "LpPool"})
_PRODUCTS = frozenset({"MatMul", "MatMulInteger", "QLinearMatMul", "Gemm"})
_RECURRENT = frozenset({"LSTM", "GRU", "RNN"})


def work(op: Operands, result: Dims | None) -> float:
    """How long a node takes at least, in nanoseconds of one core; roughly, as a second more or less does not matter.

    Args:
        op: the node with its inputs.
        result: the sizes of its first result.
    """
    kind, elements = op.node.kind, count(result)
    taken = max([elements, *(count(each.dims) for each in op.given)])
    if kind in _PRODUCTS:
        left = op.dims(0)
        inner = 0 if not left else left[-2] if kind == "Gemm" and op.whole("transA") and len(left) > 1 else left[-1]
        return elements * abs(inner) * _PRODUCT + taken * _PRODUCT
    if kind in ("Conv", "ConvInteger", "QLinearConv"):
        return elements * count((op.dims(3 if kind == "QLinearConv" else 1) or ())[1:]) * _PRODUCT
    if kind == "ConvTranspose":
        return count(op.dims(0)) * count((op.dims(1) or ())[1:]) * _PRODUCT
    if kind in _POOLS:
        kernel = op.node.attributes.get("kernel_shape")
        return elements * (count(tuple(kernel)) if isinstance(kernel, list) else 1) * _ELEMENT
    if kind in ("RoiAlign", "GridSample"):
        return elements * max(op.whole("sampling_ratio", 1), 1) ** 2 * _ELEMENT
    if kind in _RECURRENT and (weights := op.dims(2)) and len(sequence := op.dims(0) or ()) == 3:
        return abs(sequence[0] * sequence[1]) * count(weights) * 2 * _PRODUCT  # of inputs, and of states
    if kind == "NonMaxSuppression" and (boxes := op.dims(0)) and len(boxes) == 3:
        return float(count(boxes[:2]) * abs(boxes[1])) * _ELEMENT
    if kind == "Einsum" and len(op.given) == 2:
        return _letters(op) * _PRODUCT
    return taken * _ELEMENT


def count(sizes: Dims | None) -> int:
    """How many elements there are at least."""
    return abs(math.prod(sizes)) if sizes is not None else 0


def _letters(op: Operands) -> int:
    """The products that two operands of an Einsum have."""
    left = str(op.node.attributes.get("equation")).replace(" ", "").partition("->")[0]
    sizes: dict[str, int] = {}
    for term, each in zip(left.split(","), op.given, strict=False):
        sizes.update(zip(term, each.dims or (), strict=False))
    return abs(math.prod(sizes.values()))
