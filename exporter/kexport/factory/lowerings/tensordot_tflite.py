"""Products of the last axis with constant weights, in TFLite: one operator for any number of axes.

TensorFlow's tensordot, which dense layers are made of, flattens all other axes and computes their sizes while it runs.
That makes tensors whose memory the interpreter allocates in each call, and parts of the graph for a delegate: XNNPACK's
results were wrong behind such a part after lengths had changed. FULLY_CONNECTED takes all axes as they are.
Source: measured, ai-edge-litert 2.3.0; `keep_num_dims` in TFLite's schema.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.graph.shape_vectors import sizes_in, sizes_of
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, weights = _factors(inputs[0])
    product = tf.matmul(x, weights)
    product.set_shape(op.outputs[0].shape)
    return [product]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    """Whether this restores the axes of `x @ weights`, which was computed of all rows of x in a matrix."""
    del op
    product = inputs[0].op
    if product.type != "MatMul" or inputs[0].dtype.name != "float32":
        return False
    if product.get_attr("transpose_a") or product.get_attr("transpose_b"):
        return False
    flat, weights = product.inputs
    x, weights = _factors(inputs[0])
    if flat.op.type != "Reshape" or _unmoved(weights).op.type != "Const" or (x.shape.rank or 0) < 3:
        return False
    features, units = weights.shape.as_list()
    return x.shape[-1] == features and sizes_in(inputs[1]) == [*sizes_of(x)[:-1], units]


def _factors(product: Tensor) -> tuple[Tensor, Tensor]:
    """What the matrices of a product were made of."""
    flat, weights = product.op.inputs
    return _unmoved(flat.op.inputs[0] if flat.op.type == "Reshape" else flat), weights


def _unmoved(tensor: Tensor) -> Tensor:
    """What an identity, or a transposition that moves no axis, was given."""
    import tensorflow as tf

    while tensor.op.type in ("Identity", "Transpose"):
        if tensor.op.type == "Transpose":
            order = tf.get_static_value(tensor.op.inputs[1])
            if order is None or [*order] != [*range(len(order))]:
                break
        tensor = tensor.op.inputs[0]
    return tensor


LOWERING = Lowering(
    "tensordot_tflite", ("tflite",), ("Reshape",), _emit, _applies, before=("known_size_tflite", "reshape_tflite")
)
