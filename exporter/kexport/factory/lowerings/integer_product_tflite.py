"""Products of matrices of whole numbers in TFLite: exact in float32, a thousand terms at a time.

Keras computes layers that `quantize("int8")` has changed so. A product of two integers of 8 bits is at most 2^14 large,
and 1024 of them add up to at most 2^24, up to where float32 holds every integer.
Source: IEEE 754-2019, 3.2: a result that is representable is exact.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._diagonal import sizes
from kexport.factory.lowerings._rule import Lowering

_TERMS = 1024
_NARROW = ("int8", "uint8")


def _flipped(op: Operation) -> tuple[bool, bool]:
    """Whether each of the matrices is transposed."""
    names = ("transpose_a", "transpose_b") if op.type == "MatMul" else ("adj_x", "adj_y")
    return bool(op.get_attr(names[0])), bool(op.get_attr(names[1]))


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    one, other = (tf.cast(x, tf.float32) for x in inputs)
    flipped = _flipped(op)
    axes = (-2 if flipped[0] else -1, -1 if flipped[1] else -2)
    terms = next(size for x, axis in zip(inputs, axes, strict=True) if (size := x.shape[axis]) is not None)
    dtype = tf.int32 if op.outputs[0].dtype.size < 4 else op.outputs[0].dtype
    total = None
    for start in range(0, max(terms, 1), _TERMS):
        count = min(_TERMS, terms - start)
        parts = [_part(x, axis, start, count, terms) for x, axis in ((one, axes[0]), (other, axes[1]))]
        product = tf.cast(tf.matmul(*parts, transpose_a=flipped[0], transpose_b=flipped[1]), dtype)
        total = product if total is None else total + product
    return [tf.cast(total, op.outputs[0].dtype)]


def _part(x: Tensor, axis: int, start: int, count: int, terms: int) -> Tensor:
    """Some of the terms."""
    import tensorflow as tf

    if count == terms:
        return x
    begin, whole = [0] * x.shape.rank, sizes(x)
    begin[axis], whole[axis] = start, count
    return tf.slice(x, begin, tf.stack(whole))


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    if any(x.dtype.name not in _NARROW or x.shape.rank is None for x in inputs) or not op.outputs[0].dtype.is_integer:
        return False
    flipped = _flipped(op)
    return (
        inputs[0].shape[-2 if flipped[0] else -1] is not None or inputs[1].shape[-1 if flipped[1] else -2] is not None
    )


LOWERING = Lowering(
    "integer_product_tflite", ("tflite",), ("MatMul", "BatchMatMulV2", "BatchMatMulV3"), _emit, _applies
)
