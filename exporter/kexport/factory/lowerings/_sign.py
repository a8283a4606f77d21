"""Whether the outputs of a model depend on the signs of singular vectors or eigenvectors, which are arbitrary."""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Tensor

WHY = "the signs of singular vectors and eigenvectors are arbitrary, and would not be TensorFlow's"

_CARRIERS = {
    "AddV2", "Cast", "Conj", "ConjugateTranspose", "ExpandDims", "Identity", "Neg", "Reshape", "Slice", "Squeeze",
    "StridedSlice", "Sub", "Transpose",
}  # fmt: skip
_PRODUCTS = {"BatchMatMul", "BatchMatMulV2", "Einsum", "MatMul", "Mul", "RealDiv"}
_EVEN = {"Abs", "OnesLike", "Shape", "Square", "ZerosLike"}


def signs_cancel(vectors: Sequence[Tensor]) -> bool:
    """Whether outputs depend on the vectors through products of two of them alone, as in u s v': the signs cancel.

    A product of two tensors that carry the sign is assumed to be over the axis of the vectors.
    """
    signed = {vector.ref() for vector in vectors}
    used = False
    for op in vectors[0].graph.get_operations():  # each after what it takes
        count = sum(value.ref() in signed for value in op.inputs)
        if not count or op.type in _EVEN:
            continue
        used = True
        if op.type in _PRODUCTS and count == 2:
            continue
        if op.type not in _CARRIERS | _PRODUCTS or not all(output.consumers() for output in op.outputs):
            return False
        signed.update(output.ref() for output in op.outputs)
    return used
