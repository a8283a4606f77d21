"""A product of two computed matrices before a ReLU or a clip, as one of a stack of a single matrix, in TFLite.

TensorFlow's converter makes a fully connected layer of it, puts the ReLU into that layer, and then makes a product of
matrices of it again, which has no activation: the ReLU is gone. It also does so where it has moved a reshape in
between. A product of stacks is no such layer at any time.
Source: TensorFlow, `compiler/mlir/lite/transforms/optimize_patterns.td` and `optimize.cc`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_CLIPS = ("ClipByValue", "Maximum", "Minimum", "Relu", "Relu6")
_SAME_VALUES = ("ExpandDims", "Identity", "Reshape", "Squeeze")
_FAR = 8  # operations that only shape what they take


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    matrices = all(x.shape.rank == 2 and x.dtype.name == "float32" for x in inputs)
    return matrices and inputs[1].op.type not in ("Const", "ReadVariableOp") and any(_clipped(op.outputs[0], _FAR))


def _clipped(tensor: Tensor, far: int) -> Iterator[bool]:
    """Whether its elements are clipped, for each operation that takes them."""
    for taker in tensor.consumers():
        yield taker.type in _CLIPS
        if far and taker.type in _SAME_VALUES:
            yield from _clipped(taker.outputs[0], far - 1)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    names = ("transpose_a", "transpose_b") if op.type == "MatMul" else ("adj_x", "adj_y")
    flipped = {key: op.get_attr(name) for key, name in zip(("adj_x", "adj_y"), names, strict=True)}
    stacks = (tf.expand_dims(x, 0) for x in inputs)
    return [tf.squeeze(tf.raw_ops.BatchMatMulV2(**dict(zip("xy", stacks, strict=True)), **flipped), [0])]


LOWERING = Lowering(
    "product_before_clip_tflite",
    ("tflite",),
    ("MatMul", "BatchMatMulV2"),
    _emit,
    _applies,
    before=("integer_product_tflite",),
)
